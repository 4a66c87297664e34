"""The authorize URL taken apart: each parameter decoded and encoded, to edit and see what changes."""

import html
from urllib.parse import quote, urlencode

import ipywidgets as w

from redbooth_nb import AUTHORIZE_URL, AuthorizationRequest
from redbooth_nb.client.errors import parameter_meanings
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, code, field, fold, row

PKCE = "code_challenge = BASE64URL(SHA256(code_verifier)), without = at the end"


class UrlView(View):
    """Shows the parameters of `request`. `change()` does what typing does; the request itself stays as it is.

    An answer to a changed URL is only accepted if client id, redirect URI and state are still the request's.
    """

    title = "The authorize address, part by part"
    picture = "url"

    def __init__(self, request: AuthorizationRequest | None = None) -> None:
        self.request = request or AuthorizationRequest.new()
        self.parameters = self.request.parameters
        self._about = parameter_meanings()
        self._message, self._address, self.browser = Message(), Markup(), w.VBox()
        self._fields = {name: field(w.Text, name, value=value) for name, value in self.parameters.items()}
        self._encoded = {name: Markup() for name in self._fields}
        for name, typed in self._fields.items():
            typed.observe(lambda change, name=name: self.change(name, change["new"]), names="value")
        rows = [row(typed, self._encoded[name]) for name, typed in self._fields.items()]
        see = button("See what Redbooth says", self.visit, self._message, primary=True)
        note = f"{code(PKCE)} (RFC 7636 section 4.2). Only the challenge is sent now."
        pkce = [Markup(fold("PKCE", note))] if self.request.code_verifier else []
        buttons = row(see, button("Reset", self.reset, self._message))
        super().__init__([self._address, *rows, *pkce, buttons, self._message, self.browser])
        self._draw()

    def change(self, name: str, value: str) -> None:
        """Give a parameter another value; an empty one leaves it out."""
        self.parameters = {**self.parameters, name: value}
        if name in self._fields and self._fields[name].value != value:
            self._fields[name].value = value  # comes back here by way of the observer
            return
        self._draw()

    def reset(self) -> None:
        """Give every parameter the request's own value again."""
        for name, value in self.request.parameters.items():
            self.change(name, value)

    def visit(self) -> None:
        """Open the address as it is now, in a window below."""
        self.browser.children = [Browser(self.url, "Open it and see what Redbooth says")]

    @property
    def url(self) -> str:
        """The address with these parameters, each URL-encoded."""
        given = {name: value for name, value in self.parameters.items() if value}
        return f"{AUTHORIZE_URL}?{urlencode(given, quote_via=quote, safe='')}"

    def text(self) -> str:
        """Return the address and its parameters."""
        lines = [f"    {name} = {value}    ({self._about[name]})" for name, value in self.parameters.items() if value]
        return "\n".join([self.url, *lines])

    def _draw(self) -> None:
        drawn, own = block(self.url), self.request.parameters
        for name, shown in self._encoded.items():
            value = self.parameters[name]
            changed = value != own[name]
            part = html.escape(f"{name}={quote(value, safe='')}")
            if changed:
                drawn = drawn.replace(part, f"<mark>{part}</mark>")
            encoded = code(quote(value, safe="")) if value else "left out"
            shown.show(f"{encoded}{' <strong>(changed)</strong>' * changed}<br>{html.escape(self._about[name])}")
        self._address.show(drawn)
