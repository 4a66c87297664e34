"""The playground: the whole flow on one screen, for any app and user."""

import ipywidgets as w

from redbooth_nb import AuthorizationRequest, AuthorizationResponse, RedboothError, RedboothSession
from redbooth_nb.widgets.appearance import shared_layout
from redbooth_nb.widgets.authorize import SignInPanel
from redbooth_nb.widgets.exchange import ExchangeForm
from redbooth_nb.widgets.http import HttpView
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.refresh import TokenCard
from redbooth_nb.widgets.register import RegisterForm
from redbooth_nb.widgets.snapshot import Snapshot
from redbooth_nb.widgets.view import Markup, button, field, row


class Playground(LiveView):
    """Register, authorize, exchange, refresh and call; beside it, what went over the wire.

    Each step is shown once the step before it is done. `authorize()`, `call()` and `reset()` do what the buttons do.
    """

    title = "Playground"
    picture = "playground"

    def __init__(self) -> None:
        self._message = Message()
        self._pkce = field(w.Checkbox, "PKCE", value=False, indent=False)
        self._nonce = field(w.Checkbox, "a second proof in the redirect URI", value=False, indent=False)
        self._path = field(w.Text, "GET https://redbooth.com/api/3", value="/me", label_width="auto")
        self._exchanged: float | None = None  # when the answer came whose code the form sends
        self._sign_in, self._exchange, self._card = (w.VBox(layout=shared_layout()) for _ in range(3))
        self.form, self.http = RegisterForm(), HttpView()
        start = button("New sign-in", self.authorize, self._message, primary=True)
        call = button("Call", lambda: self.call(self._path.value), self._message)
        steps = {
            "1 register": [self.form],
            "2 authorize": [row(self._pkce, self._nonce, start), self._sign_in],
            "3 exchange": [self._exchange],
            "4 refresh": [self._card],
            "Call the API": [row(self._path, call), self._message, button("Reset", self.reset, self._message)],
        }
        left = [part for title, parts in steps.items() for part in (Markup(f"<h3>{title}</h3>"), *parts)]
        right = [Markup("<h3>What went over the wire</h3>"), self.http]
        super().__init__([row(*(w.VBox(parts, layout=shared_layout()) for parts in (left, right)))])
        self.add_class("rv-wide")

    def authorize(self, *, answer: str = "allow") -> SignInPanel:
        """Start a sign-in with the options chosen. answer: the button to press where nobody is at the browser."""
        request = AuthorizationRequest.new(pkce=self._pkce.value, nonce=self._nonce.value)
        self.reset()
        self._sign_in.children = [panel := SignInPanel(request, answer=answer)]
        self.update()
        return panel

    def call(self, path: str = "/me") -> object:
        """Call the API and return the answer; refreshes by itself. Raises what `RedboothSession.get` raises."""
        self._path.value = path
        answer = RedboothSession().get(path)
        self._message.say("")
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def reset(self) -> None:
        """End the sign-in, and forget the answer that was not exchanged. App, token and transcript stay."""
        for panel in self._sign_in.children:
            panel.cancel()
        self._sign_in.children = self._exchange.children = []
        self._message.say("")

    def _show(self) -> None:
        """Show the exchange form when a code has arrived, and the token card as soon as there is a token."""
        now = Snapshot()
        try:
            if now.code_ready and now.answered_at != self._exchanged:
                self._exchanged = now.answered_at
                self._exchange.children = [ExchangeForm(AuthorizationResponse.last(now.settings))]
            if now.token and not self._card.children:
                self._card.children = [TokenCard(now.settings)]
        except RedboothError as error:
            self._message.say(str(error), "problem")

    def text(self) -> str:
        """Return what the steps say."""
        self.update()
        parts = [self.form, *self._sign_in.children, *self._exchange.children, *self._card.children]
        return "\n\n".join(part.text() for part in parts)
