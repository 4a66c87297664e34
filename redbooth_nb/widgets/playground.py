"""The playground: the whole flow on one screen, for any app and user."""

from contextlib import suppress

import ipywidgets as w

from redbooth_nb import AuthorizationRequest, AuthorizationResponse, RedboothError, RedboothSession, Token
from redbooth_nb.client.register import NONCE_NAME
from redbooth_nb.client.wire import api_address, status_of
from redbooth_nb.foreign_errors import api_meaning
from redbooth_nb.traffic.redaction import hide_in_url
from redbooth_nb.traffic.transcript import RoundTrip
from redbooth_nb.widgets.authorize import SignInPanel
from redbooth_nb.widgets.exchange import TokenRequest
from redbooth_nb.widgets.flow_map import Snapshot
from redbooth_nb.widgets.http import HttpView, python_fold, request_folds
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.refresh import TokenCard
from redbooth_nb.widgets.register import RegisterForm
from redbooth_nb.widgets.view import TEXTS, Markup, Message, field, row, shared

KINDS = {True: "good", False: "problem"}


class Playground(LiveView):
    """Register, authorize, exchange, refresh and call; beside it, what went over the wire.

    Each step is shown once the step before it is done. `authorize()`, `call()` and `reset()` do what the buttons do.
    """

    def __init__(self) -> None:
        self._started = Message(layout=shared(w.Layout))
        self._pkce = field(w.Checkbox, "PKCE", value=False, indent=False)
        self._nonce = field(w.Checkbox, "a nonce in the redirect URI", value=False, indent=False)
        self._path = field(w.Text, "GET https://redbooth.com/api/3", value="/me", label_width="auto")
        for option in (self._pkce, self._nonce, self._path):
            option.observe(lambda _: self._show_code(Snapshot()), names="value")
        self._exchanged: float | None = None  # when the answer came whose code the form sends
        self._app = ""  # as it was last shown, and its token
        self._token: Token | None = None
        self._sign_in, self._exchange, self._refresh = (w.VBox(layout=shared(w.Layout)) for _ in range(3))
        self._link_code, self._call_code = Markup(), Markup()
        self.form, self.http = RegisterForm(), HttpView()
        start = self._button("New sign-in", self.authorize, primary=True, message=self._started)
        call = self._button("Call", lambda: self.call(self._path.value.strip()))
        reset, said = self._button("Reset", self.reset), TEXTS["playground"]
        options = [self._pkce, Markup(said["pkce"]), self._nonce, Markup(said["nonce"])]
        problem = w.VBox([self._started], layout=shared(w.Layout), _dom_classes=("redbooth-view",))
        steps = {
            "1 register": [self.form],
            "2 authorize": [*options, start, problem, self._link_code, self._sign_in],
            "3 exchange": [Markup(said["exchange"]).add_class("rv-until"), self._exchange],
            "4 refresh": [Markup(said["refresh"]).add_class("rv-until"), self._refresh],
            "Call the API": [row(self._path, call), self._message, self._call_code, Markup(said["reset"]), reset],
        }
        left = [part for title, parts in steps.items() for part in (Markup(f"<h3>{title}</h3>"), *parts)]
        right = [Markup("<h3>What went over the wire</h3>"), self.http]
        super().__init__([row(*(w.VBox(parts, layout=shared(w.Layout)) for parts in (left, right)))])
        self.add_class("rv-wide")
        self._head.on_msg(lambda *_: self._update_parts())

    def _update_parts(self) -> None:
        """Update its parts: whoever turns to the playground turns to them. Changes reach them by themselves."""
        for part in (self.form, *self._sign_in.children, *self._refresh.children[:1], self.http):
            part.update()

    def authorize(self, *, answer: str = "allow") -> SignInPanel:
        """Start a sign-in with the options chosen. answer: the button to press where nobody is at the browser."""
        request = AuthorizationRequest.new(pkce=self._pkce.value, nonce=self._nonce.value)
        self.reset()
        self._sign_in.children = [panel := SignInPanel(request, answer=answer)]
        self.update()
        return panel

    def call(self, path: str = "/me") -> object:
        """Call the API and return the response; refreshes by itself. Raises what `RedboothSession.get` raises."""
        self._path.value = hide_in_url(path)  # a typed secret stays in no notebook
        try:
            answer = RedboothSession().get(path)
        finally:
            self.update()  # first: a token that it got is no news that would clear what is said of it
        said = f"{status_of(answer)}. The response is at the end of the list of requests."
        self._message.say(said if answer.ok else f"{status_of(answer)}: {api_meaning(answer)}", KINDS[answer.ok])
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def reset(self) -> None:
        """End the sign-in; forget edits, and an answer that wasn't exchanged. App, token and transcript stay."""
        for panel in self._sign_in.children:
            panel.cancel()
        self._sign_in.children = self._exchange.children = []
        for form in self._refresh.children[1:]:
            form.reset()
        for message in (self._started, self._message):
            message.say("")

    def _show(self) -> None:
        """Show the exchange form when a code has arrived, and card and refresh form as soon as there is a token."""
        now = Snapshot()
        if now.settings and now.settings.client_id != self._app:  # forms and card are of one app
            self._app, self._exchange.children, self._refresh.children = now.settings.client_id, [], []
        if now.token != self._token and self._message.said["kind"] == "problem":
            self._message.say("")  # it was about the token before
        self._token = now.token
        try:
            if now.code_ready and now.answered_at != self._exchanged:
                self._exchanged = now.answered_at
                response = AuthorizationResponse.last(now.settings)
                self._exchange.children = [TokenRequest(response.request.settings, response)]
            if now.token and now.settings and not self._refresh.children:
                self._refresh.children = [TokenCard(), TokenRequest(now.settings)]
        except RedboothError as error:
            self._started.say(str(error), "problem")
        self._show_code(now)

    def _show_code(self, now: Snapshot) -> None:
        """Show as code, before it happens, what the buttons of sign-in and call do."""
        link = call = ""
        if app := now.settings:
            joint = "&" if "?" in app.redirect_uri else "?"
            nonce = f' + "{joint}{NONCE_NAME}=" + secrets.token_urlsafe(32)' * self._nonce.value
            own = [("client_id", app.client_id), ("redirect_uri", app.redirect_uri)]
            link = python_fold("authorize", own, nonce=nonce, pkce=', pkce="S256"' * self._pkce.value)
        with suppress(RedboothError):
            url = hide_in_url(api_address(self._path.value))
            if now.token:
                header = ("Authorization", f"Bearer {now.token.access_token}")
                trip = RoundTrip("GET", url, request_headers=[header])
                code = python_fold("call", [("access_token", now.token.access_token), ("url", url)])
                call = request_folds(trip, after=code)
        self._link_code.value = link
        self._call_code.value = call

    def text(self) -> str:
        """Return what the steps say."""
        self.update()
        parts = [self.form, *self._sign_in.children, *self._exchange.children, *self._refresh.children]
        return "\n\n".join(part.text() for part in parts)
