"""The authorize URL taken apart: each parameter decoded and encoded, to edit and see what changes."""

import html
from urllib.parse import quote, urlencode

import ipywidgets as w

from redbooth_nb import AUTHORIZE_URL, AuthorizationRequest
from redbooth_nb.client.errors import meanings
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.markup import block, code, fold
from redbooth_nb.widgets.parameters import Parameters
from redbooth_nb.widgets.view import Markup, View, row

PKCE = "code_challenge = BASE64URL(SHA256(code_verifier)), without = at the end"


class UrlView(View):
    """Shows the parameters of `request`. `change()` does what typing does; the request itself stays as it is.

    An answer to a changed URL is only accepted if client id, redirect URI and state are still the request's.
    """

    title = "The authorize address, part by part"
    picture = "url"

    def __init__(self, request: AuthorizationRequest | None = None) -> None:
        self.request = request or AuthorizationRequest.new()
        self._about = meanings()["parameter"]
        self._address, self.browser = Markup(), w.VBox()
        self.parameters = Parameters(self.request.parameters, self._about, self._draw, encoded=True)
        self.change, self.reset = self.parameters.change, self.parameters.reset
        see = self._button("See what Redbooth says", self.visit, primary=True)
        note = f"{code(PKCE)} (RFC 7636 section 4.2). Only the challenge is sent now."
        pkce = [Markup(fold("PKCE", note))] if self.request.code_verifier else []
        buttons = row(see, self._button("Reset", self.reset))
        super().__init__([self._address, *self.parameters.rows, *pkce, buttons, self._message, self.browser])
        self._draw()

    def visit(self) -> None:
        """Open the address as it is now, in a window below."""
        self.browser.children = [Browser(_address(self.parameters.plain), "Open it and see what Redbooth says")]

    @property
    def url(self) -> str:
        """The address with these parameters, each URL-encoded; a secret in it is hidden."""
        return _address({name: str(value) for name, value in self.parameters.given})

    def text(self) -> str:
        """Return the address and its parameters."""
        lines = [f"    {name} = {value}    ({self._about[name]})" for name, value in self.parameters.given]
        return "\n".join([self.url, *lines])

    def _draw(self) -> None:
        drawn = block(self.url)
        for name, value in self.parameters.given:
            if value != self.parameters.own.get(name):
                part = html.escape(f"{name}={quote(str(value), safe='')}")
                drawn = drawn.replace(part, f"<mark>{part}</mark>")
        self._address.show(drawn)


def _address(parameters: dict[str, str]) -> str:
    return f"{AUTHORIZE_URL}?{urlencode(parameters, quote_via=quote, safe='')}"
