"""The sign-in panel: the link, the wait, the paste box, and the answer."""

import ipywidgets as w
import requests

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback import DEFAULT_TIMEOUT, SignIn, Status
from redbooth_nb.client.errors import StateError
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.wire import connect
from redbooth_nb.configuration import Configuration
from redbooth_nb.provider.provider import Kind
from redbooth_nb.provider.unattended import UnattendedError, press
from redbooth_nb.widgets.countdown import Countdown, Words
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, button, field, fold, link, row, table

MEANINGS = {
    "code": "the authorization code: works once, for ten minutes",
    "error": "why there is no code",
    "error_description": "the same in words, for people",
}
WAIT: Words = {
    "label": ("Time left for your answer", ""),
    "fresh": ("The link can be used for another", ""),
    "soon": ("The link can be used for only", "Less than a minute is left for your answer."),
    "expired": ("The time for your answer is over.", ""),
    "unknown": ("", ""),
}


class SignInPanel(View):
    """Shows one sign-in. `response` holds the answer; `paste()` and `cancel()` do what the buttons do."""

    picture = (
        "authorize",
        "a sign-in link, a line that says it waits, the time that is left, Cancel, and a field to paste an address.",
    )

    def __init__(
        self,
        request: AuthorizationRequest | None = None,
        *,
        answer: str = "allow",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self._message, self._answer = Message(), Markup()
        super().__init__([])
        request, unattended = request or AuthorizationRequest.new(), Configuration.read().unattended
        self.sign_in = SignIn(request, timeout=timeout, listen=not unattended, on_change=self._update)
        if unattended:
            self._press(answer)
        where = Markup(f"<strong>{link(self.sign_in.link, 'Sign in with Redbooth')}</strong> (opens in a new tab)")
        answered = self.sign_in.status is Status.ANSWERED  # already, where nobody sits at the browser
        controls = [] if answered else [self._waiting_for(timeout)]
        self.children = [where, self._message, self._answer, *controls]
        self._update()

    def _press(self, answer: str) -> None:
        request = self.sign_in.request
        if request.settings.provider.kind is Kind.LIVE:
            raise UnattendedError(
                "REDBOOTH_UNATTENDED is set, but on redbooth.com only a person can give permission.",
                remedy="Unset REDBOOTH_UNATTENDED, or practise on the sandbox: REDBOOTH_PROVIDER=sandbox",
            )
        self.paste(press(connect(requests.Session()), request.url, request.redirect_uri, answer))

    def _waiting_for(self, timeout: float) -> w.VBox:
        """Return what a person needs while the panel waits: the time that is left, Cancel, and the paste box."""
        self._countdown = Countdown(self.sign_in.remaining, timeout, WAIT)
        self._waiting = w.HBox([self._countdown, button("Cancel", self.cancel, self._message)])
        self._paste = field(w.Text, "Or paste the address you were sent to", label_width="auto")
        take = button("Use this address", self._take, self._message)
        self._controls = w.VBox([self._waiting, row(self._paste, take)])
        return self._controls

    @property
    def response(self) -> AuthorizationResponse:
        """The answer. Raises NotYet while there is none."""
        return self.sign_in.response

    def paste(self, callback_url: str) -> AuthorizationResponse:
        """Take the address the browser was sent to. Raises CallbackError or StateError; the wait goes on."""
        return self.sign_in.paste(callback_url)

    def cancel(self) -> None:
        """Stop waiting."""
        self.sign_in.cancel()

    def _take(self) -> None:
        address, self._paste.value = self._paste.value, ""  # it holds the code
        self.paste(address)

    def _update(self) -> None:
        if not self.children:
            return  # the answer came before the panel was drawn; it is drawn with it
        status = self.sign_in.status
        kind = "good" if status is Status.ANSWERED else "info" if status is Status.WAITING else "problem"
        self._message.say(self.text(), kind)
        if hasattr(self, "_controls"):
            self._controls.layout.display = (
                "none" if status is Status.ANSWERED else ""
            )  # a late answer can still be pasted
            self._waiting.layout.display = "none" if self.sign_in.remaining is None else ""
        self._answer.show(self._taken_apart())

    def _taken_apart(self) -> str:
        """Show what came back, field by field, and the state check passing or failing."""
        sent = self.sign_in.request.state
        if self.sign_in.status is Status.ANSWERED:
            response = self.sign_in.response
            given = {"code": response.code, "error": response.error, "error_description": response.error_description}
            rows = [(name, value, MEANINGS[name]) for name, value in given.items() if value]
            rows += [("state", response.state or "(absent)", f"sent: {sent} - {response.state_check}")]
            return fold("The answer taken apart", table(("field", "value", "meaning"), rows))
        failed = [error for error in self.sign_in.refused if isinstance(error, StateError)]
        rows = [("state", error.received or "(absent)", f"sent: {sent} - {error.what}") for error in failed[-3:]]
        return (
            fold("Answers that were not taken", table(("field", "value", "check"), rows), opened=True) if rows else ""
        )

    def text(self) -> str:
        """Say where the sign-in stands."""
        sign_in = self.sign_in
        if sign_in.status is Status.ANSWERED:
            return sign_in.response.describe()
        if sign_in.status is Status.WAITING:
            refused = [f"Not taken: {error.what}" for error in sign_in.refused[-1:]]
            waiting = sign_in.notice or "Waiting for your answer. Other cells can run meanwhile."
            return "\n".join([*refused, waiting])
        return f"The sign-in was {sign_in.status}. Run the cell again for a new link."
