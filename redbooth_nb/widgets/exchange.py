"""The exchange form: the token request before it is sent, a Send button, and what came back."""

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token
from redbooth_nb.provider.addresses import ORIGIN, TOKEN_URL
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import Pairs
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, code, fold, table

MEANINGS = {
    "grant_type": "what is offered in return for a token: an authorization code",
    "code": "the code that came back; it works once, for ten minutes",
    "redirect_uri": "the very same as in the authorization request",
    "client_id": "which app is asking",
    "client_secret": "proof that it is that app",
}


class ExchangeForm(View):
    """Shows the token request of `response` (default: the last answer). `send()` does what the button does."""

    picture = ("exchange", "the fields of a token request in a table, the button Send, and the answer taken apart.")

    def __init__(self, response: AuthorizationResponse | None = None) -> None:
        self.response = response or AuthorizationResponse.last()
        self.token: Token | None = None
        self._message = Message()
        rows = [(name, value, MEANINGS[name]) for name, value in self.fields.items()]
        request = Markup(code(f"POST {TOKEN_URL}") + table(("field", "value", "meaning"), rows) + self._curl())
        self._answer = Markup()
        self._button = button("Send", self._clicked, self._message, primary=True)
        super().__init__([request, self._button, self._message, self._answer])

    @property
    def fields(self) -> dict[str, "str | Secret"]:
        """The form fields of the request; secrets stay hidden."""
        settings = self.response.request.settings
        return {
            "grant_type": "authorization_code",
            "code": self.response.code or "(none: there is nothing to exchange)",
            "redirect_uri": self.response.request.redirect_uri,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }

    def send(self) -> Token:
        """Send the request, once, and save the token. Called again it returns the same token and sends nothing.

        Raises what `exchange` raises.
        """
        if self.token is None:
            self.token = exchange(self.response)
            self._answer.show(self._taken_apart(self.token))
            self._message.say(
                f"{self.token.access_token} and {self.token.refresh_token} arrived and are saved.", "good"
            )
        return self.token

    def _curl(self) -> str:
        fields: Pairs = [(name, value) for name, value in self.fields.items() if name != "grant_type"]
        request = RoundTrip.request("POST", TOKEN_URL, [("grant_type", "authorization_code"), *fields])
        origin = self.response.request.settings.provider.origin
        own = fold("As cURL, for your own sandbox", block(request.curl(origin))) if origin != ORIGIN else ""
        return fold("As cURL, as in the guide", block(request.curl())) + own

    def _taken_apart(self, token: Token) -> str:
        rows = [
            ("access_token", token.access_token, "opens the account; send it after the word Bearer"),
            ("token_type", token.token_type, "how to send it: whoever bears it may use it"),
            ("expires_in", token.expires_in, "seconds it lives: two hours"),
            ("refresh_token", token.refresh_token, "gets the next pair; works once, so keep the newest"),
            ("scope", token.scope, "what it allows: Redbooth knows only all"),
        ]
        spent = f"<p><s>{code(self.response.code)}</s> is spent: it worked once.</p>"
        return fold("The answer taken apart", table(("field", "value", "meaning"), rows) + spent)

    def _clicked(self) -> bool:
        self.send()
        return True

    def text(self) -> str:
        """Return the request as text."""
        return "\n".join([f"POST {TOKEN_URL}", *(f"    {name} = {value}" for name, value in self.fields.items())])
