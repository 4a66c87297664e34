"""The exchange form: the token request before it is sent, a Send button, and what came back."""

import html

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.secret import Secret
from redbooth_nb.client.token import Token
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.widgets.view import Message, View, button, paragraph

LEFT = "text-align:left;padding:4px 12px 4px 0"
MEANINGS = {
    "grant_type": "what is offered in return for a token: an authorization code",
    "code": "the code that came back; it works once, for ten minutes",
    "redirect_uri": "the very same as in the authorization request",
    "client_id": "which app is asking",
    "client_secret": "proof that it is that app",
}


class ExchangeForm(View):
    """Shows the token request of `response` (default: the last answer). `send()` does what the button does."""

    def __init__(self, response: AuthorizationResponse | None = None) -> None:
        self.response = response or AuthorizationResponse.last()
        self.token: Token | None = None
        self._message = Message()
        heads = "".join(f"<th style='{LEFT}'>{head}</th>" for head in ("field", "value", "meaning"))
        rows = "".join(
            f"<tr><td style='{LEFT};white-space:nowrap'><code>{name}</code></td>"
            f"<td style='{LEFT};overflow-wrap:anywhere'>{html.escape(str(value))}</td>"
            f"<td style='{LEFT}'>{MEANINGS[name]}</td></tr>"
            for name, value in self.fields.items()
        )
        table = paragraph(
            f"<code>POST {TOKEN_URL}</code><table class='jp-RenderedHTMLCommon'>"
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )
        self._send = button("Send", self._clicked, self._message, primary=True)
        super().__init__([table, self._send, self._message])

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
            self._message.say(
                f"{self.token.access_token} and {self.token.refresh_token} arrived and are saved.", "good"
            )
        return self.token

    def _clicked(self) -> bool:
        self.send()
        return True

    def text(self) -> str:
        """Return the request as text."""
        return "\n".join([f"POST {TOKEN_URL}", *(f"    {name} = {value}" for name, value in self.fields.items())])
