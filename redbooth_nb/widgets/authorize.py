"""The sign-in panel: the link, the wait, the paste box, and the answer."""

import ipywidgets as w
import requests

from redbooth_nb import AuthorizationRequest, AuthorizationResponse, connect
from redbooth_nb.client.callback import DEFAULT_TIMEOUT, SignIn, Status
from redbooth_nb.client.errors import StateError
from redbooth_nb.configuration import Configuration
from redbooth_nb.provider.provider import Kind
from redbooth_nb.provider.unattended import UnattendedError, press
from redbooth_nb.widgets.countdown import Countdown
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.texts import TEXTS
from redbooth_nb.widgets.view import Markup, View, button, field, fold, link, row, table

LATEST = 3  # refused answers that are shown


class SignInPanel(View):
    """Shows one sign-in. `response` holds the answer; `paste()` and `cancel()` do what the buttons do.

    answer: "allow" or "deny", the button to press where nobody is at the browser (`REDBOOTH_UNATTENDED=1`);
    a person at the browser decides alone. timeout: seconds to wait.
    """

    picture = "authorize"

    def __init__(
        self, request: AuthorizationRequest | None = None, *, answer: str = "allow", timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self._message, self._taken_apart = Message(), Markup()
        super().__init__([])
        request = request or AuthorizationRequest.new()
        callback = _decide(request, answer) if Configuration.read().unattended else ""
        self.sign_in = SignIn(request, timeout=timeout, listen=not callback, on_change=self._update)
        where = Markup(f"<strong>{link(self.sign_in.link, 'Sign in with Redbooth')}</strong> (opens in a new tab)")
        self._countdown = Countdown(self.sign_in.remaining, timeout, TEXTS["countdown"]["sign-in"])
        self._waiting = w.HBox([self._countdown, button("Cancel", self.cancel, self._message)])
        self._paste = field(w.Text, "Or paste the address you were sent to", label_width="auto")
        self._controls = w.VBox(
            [self._waiting, row(self._paste, button("Use this address", self._take, self._message))]
        )
        self.children = [where, self._message, self._taken_apart, self._controls]
        if callback:
            self.paste(callback)
        self._update()

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

    @property
    def _answered(self) -> bool:
        return self.sign_in.status is Status.ANSWERED

    def _take(self) -> None:
        address, self._paste.value = self._paste.value, ""  # it holds the code
        self.paste(address)

    def _update(self) -> None:
        if not self.children:
            return  # the answer came before the panel was drawn; it is drawn with it
        waiting = self.sign_in.status is Status.WAITING
        self._message.say(self.text(), "good" if self._answered else "info" if waiting else "problem")
        self._controls.layout.display = "none" if self._answered else ""  # a late answer can still be pasted
        self._waiting.layout.display = "none" if self.sign_in.remaining is None else ""
        self._taken_apart.show(self._fields())

    def _fields(self) -> str:
        """Show what came back, field by field, and the state check passing or failing."""
        sent = self.sign_in.request.state
        if self._answered:
            response, meanings = self.response, TEXTS["fields"]["callback"]
            rows = [(name, getattr(response, name), meanings[name]) for name in meanings if getattr(response, name)]
            rows += [("state", response.state or "(absent)", f"sent: {sent} - {response.state_check}")]
            return fold("The answer, field by field", table(("field", "value", "meaning"), rows))
        failed = [error for error in self.sign_in.refused if isinstance(error, StateError)][-LATEST:]
        rows = [("state", error.received or "(absent)", f"sent: {sent} - {error.what}") for error in failed]
        return fold("Refused answers", table(("field", "value", "check"), rows), opened=True) * bool(rows)

    def text(self) -> str:
        """Say how far the sign-in is."""
        sign_in = self.sign_in
        if self._answered:
            return sign_in.response.describe()
        if sign_in.status is Status.WAITING:
            refused = [f"Refused: {error.what}" for error in sign_in.refused[-1:]]
            return "\n".join([*refused, sign_in.notice or "Waiting for your answer. Other cells can run meanwhile."])
        ended = "timed out" if sign_in.status is Status.TIMED_OUT else "was canceled"
        return f"The sign-in {ended}. Run the cell again for a new link."


def _decide(request: AuthorizationRequest, answer: str) -> str:
    """Press the button in place of a person; return the callback URL. Raises UnattendedError on redbooth.com."""
    if request.settings.provider.kind is Kind.LIVE:
        raise UnattendedError(
            "REDBOOTH_UNATTENDED is set, but on redbooth.com only a person can give permission.",
            remedy="Unset REDBOOTH_UNATTENDED, or practice on the sandbox: REDBOOTH_PROVIDER=sandbox",
        )
    return press(connect(requests.Session()), request.url, request.redirect_uri, answer)
