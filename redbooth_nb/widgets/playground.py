"""The playground: the whole flow on one screen, for any app and user."""

import ipywidgets as w

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.refresh import RedboothSession
from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.errors import NotYet
from redbooth_nb.widgets.appearance import shared_layout
from redbooth_nb.widgets.authorize import SignInPanel
from redbooth_nb.widgets.exchange import ExchangeForm
from redbooth_nb.widgets.http import HttpView
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.refresh import TokenCard
from redbooth_nb.widgets.register import RegisterForm
from redbooth_nb.widgets.view import Markup, View, block, button, field, row


class Playground(View):
    """Register, authorize, exchange, refresh and call, each step shown when the one before it is done.

    Its methods do what its buttons do: `authorize()`, `exchange()`, `call()`, `update()`.
    """

    picture = ("playground", "the four steps one below the other, a call of the API, and what went over the wire.")

    def __init__(self) -> None:
        self._message = Message()
        self._pkce = field(w.Checkbox, "PKCE", value=False, indent=False)
        self._nonce = field(w.Checkbox, "a second proof in the redirect URI", value=False, indent=False)
        self._path = field(w.Text, "GET https://redbooth.com/api/3", value="/me", label_width="auto")
        self._answer = Markup()
        self.form = RegisterForm()
        self._sign_in, self._exchange, self._card = (w.VBox(layout=shared_layout()) for _ in range(3))
        self.http = HttpView()
        start = button("New sign-in", self._start, self._message, primary=True)
        options = row(self._pkce, self._nonce, start)
        call = row(self._path, button("Call", self._clicked, self._message))
        go_on = button("Go on with the answer", self.exchange, self._message)
        super().__init__(
            [
                *self._step("1 register", self.form),
                *self._step("2 authorize", options, self._sign_in),
                *self._step("3 exchange", go_on, self._exchange),
                *self._step("4 refresh", self._card),
                *self._step("Call the API", call, self._answer),
                self._message,
                *self._step("What went over the wire", self.http),
            ]
        )
        self.update()

    def authorize(self, *, answer: str = "allow") -> SignInPanel:
        """Start a sign-in with the options chosen. answer: the button to press where nobody sits at the browser."""
        request = AuthorizationRequest.new(pkce=self._pkce.value, nonce=self._nonce.value)
        panel = SignInPanel(request, answer=answer)
        self._sign_in.children = [panel]
        self.update()
        return panel

    def exchange(self) -> None:
        """Show the token request for the answer that came. Raises NotYet while there is none."""
        self._exchange.children = [ExchangeForm()]
        self.update()

    def call(self, path: str = "/me") -> object:
        """Call the API and show the answer; refreshes by itself. Raises what `RedboothSession.get` raises."""
        self._path.value = path
        answer = RedboothSession().get(path)
        self.update()
        said = self.http.last
        self._answer.show(block(said) if said else "")
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def update(self) -> None:
        """Show what there is now: the token card as soon as there is a token, and the exchanges."""
        try:
            settings = Settings.load()
            stored = TokenStore(settings.folder).load()
        except NotYet:
            stored = None
        if stored is not None and not self._card.children:
            self._card.children = [TokenCard(settings)]
        self.http.update()

    def text(self) -> str:
        """Return what the steps say."""
        parts = [self.form, *self._sign_in.children, *self._exchange.children, *self._card.children]
        return "\n\n".join(part.text() for part in parts)

    def _start(self) -> None:
        self.authorize()

    def _clicked(self) -> None:
        self.call(self._path.value)

    @staticmethod
    def _step(title: str, *widgets: w.Widget) -> list[w.Widget]:
        return [Markup(f'<h3 style="margin:12px 0 4px">{title}</h3>'), *widgets]
