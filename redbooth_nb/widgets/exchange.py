"""The token request, for exchange and refresh: every parameter can be edited before it is sent."""

from contextlib import nullcontext, suppress

from redbooth_nb import TOKEN_URL, AuthorizationResponse, RedboothError, Settings, Token, TokenStore, exchange, refresh
from redbooth_nb.client.exchange import token_session
from redbooth_nb.client.wire import TIMEOUT
from redbooth_nb.errors import only_kit_errors
from redbooth_nb.traffic.transcript import RoundTrip
from redbooth_nb.widgets.countdown import duration
from redbooth_nb.widgets.flow_map import Snapshot
from redbooth_nb.widgets.http import python_fold, request_folds
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.markup import panels
from redbooth_nb.widgets.url import Parameters, Values
from redbooth_nb.widgets.view import TEXTS, Markup, row


class TokenRequest(LiveView):
    """A token request to edit: `change()`, `reset()` and `send()` do what typing and the buttons do.

    response: the answer whose code it exchanges; without one it refreshes the stored token. token: what came back.
    """

    def __init__(
        self, settings: Settings, response: AuthorizationResponse | None = None, *, show_only: bool = False
    ) -> None:
        self.settings, self.response = settings, response
        self.token: Token | None = None
        self._step = "exchange" if response else "refresh"
        self._answer, self._folds, meanings = Markup(), Markup(), TEXTS["fields"][self._step]
        self._sending = self._button("Send" if response else "Send this request", self.send, primary=bool(response))
        self.parameters = Parameters(self._own(), meanings, self._draw)
        self.change, self.reset = self.parameters.change, self.parameters.reset
        self._draw()
        buttons = row(self._sending, self._button("Reset the parameters", self.reset))
        parts = [*self.parameters.rows, self._folds, buttons, self._message, self._answer]
        if show_only:
            shown = [(name, value, meanings[name]) for name, value in self.parameters.given]
            parts = [Markup(panels.table(("parameter", "value", "meaning"), shown)), self._folds, self._message]
        super().__init__([Markup(panels.code(f"POST {TOKEN_URL}")), *parts])

    def send(self) -> Token:
        """Send what is shown, and save the token that comes back. Raises what `exchange` and `refresh` raise.

        An unedited exchange is sent only once; calling this again returns the same token.
        """
        self.update()
        edited = self.parameters.changed
        if self.token and self.response and not edited:
            return self.token
        self._message.say("")
        used = self.parameters.values.get("code" if self.response else "refresh_token")
        if edited:
            token = self._experiment()
        elif self.response:
            token = exchange(self.response)
        else:
            token = refresh(self.settings)
        self.token = token
        self._answer.value = _taken_apart(token, used)
        pair = f"{token.access_token} and {token.refresh_token} arrived and were saved."
        self._message.say(pair if token.refresh_token else f"{token.access_token} arrived and was saved.", "good")
        self.update()
        self._draw()
        return token

    @only_kit_errors
    def _experiment(self) -> Token:
        """Send what was edited. What comes back is as safe as with `exchange` and `refresh`."""
        store, values = TokenStore(self.settings.folder), self.parameters.values
        step = "edited exchange" if self.response else "refresh"  # sent as often as somebody likes
        with store.lock():
            old = store.load()
            at_stake = old is not None and values.get("refresh_token", "") == old.refresh_token
            mark = store.refreshing(old) if old and at_stake else nullcontext()
            with mark, token_session(step, self.settings) as oauth:
                answer = oauth.post(TOKEN_URL, data=self.parameters.plain, timeout=TIMEOUT).json()
            token = Token.from_response(answer, self.settings.provider.now(), previous=None if self.response else old)
            store.save(token)
        if self.response and values["code"] == self.response.code:
            with suppress(RedboothError):  # it was sent before
                self.response.use()
        return token

    def _own(self) -> Values:
        app: Values = {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        if self.response is None:
            token = Snapshot(self.settings).token
            return {"grant_type": "refresh_token", "refresh_token": (token and token.refresh_token) or "", **app}
        request, code = self.response.request, self.response.code or "(none: there is nothing to exchange)"
        proof: Values = {"code_verifier": request.code_verifier} if request.code_verifier else {}
        return {"grant_type": "authorization_code", "code": code, "redirect_uri": request.redirect_uri, **app, **proof}

    def _show(self) -> None:
        self.parameters.follow(self._own())  # which draws what has changed

    def _draw(self) -> None:
        if self._message.said["kind"] == "problem":
            self._message.say("")  # it was about another request
        given, edited = self.parameters.given, self.parameters.changed
        request = RoundTrip("POST", TOKEN_URL, fields=given)
        self._folds.value = request_folds(request, after=python_fold("edited" if edited else self._step, given))
        self._sending.disabled = bool(self.token and self.response and not edited)

    def text(self) -> str:
        """Return the request as text."""
        self.update()
        return "\n".join([f"POST {TOKEN_URL}", *(f"    {name} = {value}" for name, value in self.parameters.given)])


class ExchangeForm(TokenRequest):
    """Shows the token request of `response` (default: the last answer). `send()` does what the button does.

    show_only: whether it can only be read, where a cell sends the request.
    """

    @only_kit_errors
    def __init__(self, response: AuthorizationResponse | None = None, *, show_only: bool = False) -> None:
        response = response or AuthorizationResponse.last()
        super().__init__(response.request.settings, response, show_only=show_only)


def _taken_apart(token: Token, used: object) -> str:
    meanings = dict(TEXTS["fields"]["token"])
    if token.expires_in is not None:
        meanings["expires_in"] += f" ({duration(token.expires_in)})"
    given = {name: getattr(token, name) for name in meanings}
    rows = [(name, "(not given)" if given[name] is None else given[name], meanings[name]) for name in meanings]
    shown = panels.table(("field", "value", "meaning"), rows) + panels.used(used)
    return panels.fold("The response, field by field", shown)
