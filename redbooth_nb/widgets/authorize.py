"""The sign-in panel: where the user decides, the wait, and the answer."""

from contextlib import suppress

import ipywidgets as w
import requests

from redbooth_nb import AuthorizationRequest, AuthorizationResponse, RedboothError, connect
from redbooth_nb.client.callback import DEFAULT_TIMEOUT, NEWER, SignIn, Status
from redbooth_nb.client.errors import StateError
from redbooth_nb.client.response import Outcome
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import only_kit_errors
from redbooth_nb.provider.visitor import VisitorError, press
from redbooth_nb.traffic.redaction import hide_in_url
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.countdown import Countdown
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.markup import LONG_ID, panels
from redbooth_nb.widgets.view import TEXTS, Markup, field, row

LATEST = 3  # refused answers that are shown
SAID = TEXTS["sign-in"]  # by status
KINDS = {Outcome.ALLOWED: "good", Outcome.DENIED: "notice", Outcome.FAILED: "problem"}


class SignInPanel(LiveView):
    """Shows one sign-in. On a stand-in the user decides in `browser`, a window; on redbooth.com, in a tab.

    `response` holds the answer; `paste()`, `cancel()` and `start_again()` do what the buttons do.
    answer: "allow" or "deny", the button to press when nobody is at the browser (`REDBOOTH_UNATTENDED=1`);
    ignored when somebody is. timeout: seconds to wait.
    """

    @only_kit_errors
    def __init__(
        self, request: AuthorizationRequest | None = None, *, answer: str = "allow", timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self._timeout = timeout
        self.browser: Browser | None = None
        self._taken_apart = Markup()
        super().__init__([self._message])
        request = request or AuthorizationRequest.new()
        callback = ""
        if Configuration.read().unattended:
            if request.settings.provider.kind == "live":
                raise VisitorError(SAID["unattended"], remedy=SAID["attend"])
            callback = press(connect(requests.Session()), request.url, request.redirect_uri, answer)
        self._countdown = Countdown(timeout, timeout, TEXTS["countdown"]["sign-in"])
        self._countdown.on_msg(lambda *_: self.update())  # its end has come
        self._waiting = row(self._countdown, self._button("Cancel", self._give_up))
        self._again = row(self._button("Start again", self._begin_again))
        # once it has been typed, or it would be hidden before its end
        self._address = field(
            w.Text, "Or paste the address you were sent to", label_width="auto", continuous_update=False
        )
        self._address.observe(self._hide, names="value")
        self._pasted = ("", "")  # as it is shown, and the whole of it
        self._paste = row(self._address, self._button("Use this address", self._take))
        self._begin(request, callback)

    def _begin(self, request: AuthorizationRequest, callback: str = "") -> None:
        self.sign_in = SignIn(request, timeout=self._timeout, on_change=self._update, listen=False)
        self._countdown.set(self._timeout, self._timeout)
        if callback:
            self.paste(callback)
            return
        self.browser = Browser(
            request.url, "Sign in with Redbooth", on_tab=self._listen, on_arrival=lambda url: self.paste(url).describe()
        )
        self._update()

    def _show(self) -> None:
        if hasattr(self, "sign_in"):  # it is drawn once before there is one
            self.sign_in.follow()
            if self.sign_in.status is Status.TIMED_OUT:  # which nobody tells
                self._update()

    def _listen(self) -> None:
        self.sign_in.listen()
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

    def _give_up(self) -> None:
        self.cancel()
        self._again.children[0].focus()  # where the keyboard was is gone

    def start_again(self) -> None:
        """Make a new request like the one before, and wait for its answer."""
        old = self.sign_in.request
        self.sign_in.cancel()
        how = {"pkce": old.code_verifier is not None, "nonce": bool(old.nonce)}
        self._begin(AuthorizationRequest.new(old.settings, response_type=old.response_type, scope=old.scope, **how))

    def _begin_again(self) -> None:
        self.start_again()
        if self.browser:
            self.browser.turned_to = True  # as above

    def _hide(self, change: dict[str, str]) -> None:
        address = change["new"]
        if address == self._pasted[0]:
            return
        shown = "(hidden)" if "://" not in address and LONG_ID.search(address) else hide_in_url(address)
        if shown != address:  # what a widget holds could be saved with the notebook
            self._pasted = shown, address
            self._address.value = shown

    def _take(self) -> None:
        shown, whole = self._pasted
        address = whole if shown == self._address.value else self._address.value
        if address != self._address.value:
            self._pasted, self._address.value = ("", ""), ""
        with suppress(RedboothError):  # it is shown with the refused answers
            self.paste(address)
            self._address.value = ""

    def _update(self) -> None:
        waiting, answered = self.sign_in.status is Status.WAITING, self.sign_in.status is Status.ANSWERED
        browser = self.browser
        kind = KINDS[self.response.outcome] if answered else "notice" if waiting and self.sign_in.refused else "info"
        self._message.say(self.text(), kind)
        self._taken_apart.value = self._fields()
        window = [browser] if browser and (waiting or (answered and browser.arrived)) else []
        # a late answer can still be pasted
        paste = [self._paste] if browser and browser.in_tab and not answered else []
        last = [self._waiting, *paste] if waiting else [*paste, self._again]
        self.children = [*window, self._message, self._taken_apart, *last]

    def _fields(self) -> str:
        sent = self.sign_in.request.state
        if self.sign_in.status is Status.ANSWERED:
            response, meanings = self.response, TEXTS["fields"]["callback"]
            rows = [(name, getattr(response, name), meanings[name]) for name in meanings if getattr(response, name)]
            rows += [("state", response.state or "(absent)", f"sent: {sent} - came back: {response.state_check}")]
            return panels.fold("The answer, field by field", panels.table(("field", "value", "meaning"), rows))
        failed = [error for error in self.sign_in.refused if isinstance(error, StateError)][-LATEST:]
        sent = f"{sent[:4]}..."  # the whole of it, in a saved notebook, would let somebody answer this request
        rows = [("state", *_checked(error, sent)) for error in failed]
        shown = panels.table(("field", "value", "check"), rows)
        return panels.fold("Refused answers", shown, opened=True) if rows else ""

    def text(self) -> str:
        """Describe the status of the sign-in."""
        sign_in = self.sign_in
        if sign_in.status is Status.ANSWERED:
            return sign_in.response.describe()
        if sign_in.status is Status.WAITING:
            refused = [f"Refused: {' '.join(filter(None, (e.what, e.why, e.remedy)))}" for e in sign_in.refused[-1:]]
            return "\n".join([*refused, sign_in.notice or SAID[Status.WAITING]])
        said = f"{SAID[sign_in.status]} Click Start again to make a new request."
        late = [e for e in sign_in.refused[-1:] if getattr(e, "problem", "") not in NEWER]  # pasted since then
        return "\n".join([said, *(f"Refused: {error.what}" for error in late)])


def _checked(error: StateError, sent: str) -> tuple[str, str]:
    """Return the state of a refused answer, and what is wrong with it.

    Where a newer request exists, the values do not decide, and another sign-in may still be waiting for this one: only
    its beginning is shown.
    """
    state = error.received or "(absent)"
    return (f"{state[:4]}...", error.what) if error.problem in NEWER else (state, f"sent: {sent} - {error.what}")
