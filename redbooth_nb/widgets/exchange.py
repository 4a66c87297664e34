"""The exchange form: the token request before it is sent, a Send button, and what came back."""

from redbooth_nb import TOKEN_URL, AuthorizationResponse, Token, exchange
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.widgets.countdown import duration
from redbooth_nb.widgets.http import curl_folds
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.texts import TEXTS
from redbooth_nb.widgets.view import Markup, View, button, code, fold, table


class ExchangeForm(View):
    """Shows the token request of `response` (default: the last answer). `send()` does what the button does.

    show_only: leave the button out, where a cell sends the request.
    """

    title = "Token request"
    picture = "exchange"

    def __init__(self, response: AuthorizationResponse | None = None, *, show_only: bool = False) -> None:
        self.response = response or AuthorizationResponse.last()
        self.token: Token | None = None
        self._message, self._answer = Message(), Markup()
        rows = [(name, value, TEXTS["fields"]["request"][name]) for name, value in self.fields.items()]
        curl = curl_folds(RoundTrip("POST", TOKEN_URL, fields=list(self.fields.items())))
        request = Markup(code(f"POST {TOKEN_URL}") + table(("field", "value", "meaning"), rows) + curl)
        send = button("Send", lambda: bool(self.send()), self._message, primary=True)
        super().__init__([request, *([] if show_only else [send]), self._message, self._answer])

    @property
    def fields(self) -> dict[str, "str | Secret"]:
        """The form fields of the request; secrets stay hidden."""
        request = self.response.request
        proof = {"code_verifier": request.code_verifier} if request.code_verifier else {}
        return {
            "grant_type": "authorization_code",
            "code": self.response.code or "(none: there is nothing to exchange)",
            "redirect_uri": request.redirect_uri,
            "client_id": request.settings.client_id,
            "client_secret": request.settings.client_secret,
            **proof,
        }

    def send(self) -> Token:
        """Send the request, once, and save the token. Called again it returns the same token and sends nothing.

        Raises what `exchange` raises.
        """
        if self.token is None:
            self.token = exchange(self.response)
            self._answer.show(self._taken_apart(self.token))
            arrived = "{} and {} arrived and are saved." if self.token.refresh_token else "{} arrived and is saved."
            self._message.say(arrived.format(self.token.access_token, self.token.refresh_token), "good")
        return self.token

    def _taken_apart(self, token: Token) -> str:
        meanings = dict(TEXTS["fields"]["token"])
        if token.expires_in is not None:
            meanings["expires_in"] += f" ({duration(token.expires_in)})"
        given = {name: getattr(token, name) for name in meanings}
        rows = [(name, "(not given)" if given[name] is None else given[name], meanings[name]) for name in meanings]
        sent = f"<p><s>{code(self.response.code)}</s> has been used: it works only once.</p>"
        return fold("The answer, field by field", table(("field", "value", "meaning"), rows) + sent)

    def text(self) -> str:
        """Return the request as text."""
        return "\n".join([f"POST {TOKEN_URL}", *(f"    {name} = {value}" for name, value in self.fields.items())])
