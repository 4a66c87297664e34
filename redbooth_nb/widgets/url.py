"""The authorize URL taken apart: each parameter decoded and encoded, to edit and see what changes."""

from urllib.parse import quote, urlencode

import ipywidgets as w

from redbooth_nb import AUTHORIZE_URL, AuthorizationRequest
from redbooth_nb.client.errors import parameter_meanings
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, code, field, fold, row, table

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
        self._fields = {name: field(w.Text, name, value=value) for name, value in self.parameters.items()}
        for name, typed in self._fields.items():
            typed.observe(lambda change, name=name: self.change(name, change["new"]), names="value")
        self._markup, self._message = Markup(self._drawn()), Message()
        self.browser: Browser | None = None
        buttons = row(
            button("See what Redbooth says", self.visit, self._message), button("Reset", self.reset, self._message)
        )
        self._parts = [self._markup, *self._fields.values(), buttons, self._message]
        super().__init__(self._parts)

    def change(self, name: str, value: str) -> None:
        """Give a parameter another value; an empty one leaves it out."""
        self.parameters = {**self.parameters, name: value}
        if name in self._fields and self._fields[name].value != value:
            self._fields[name].value = value  # comes back here by way of the observer
            return
        self._markup.show(self._drawn())

    def reset(self) -> None:
        """Give every parameter the request's own value again."""
        for name, value in self.request.parameters.items():
            self.change(name, value)

    def visit(self) -> None:
        """Open the address as it is now, in a window below."""
        self.browser = Browser(self.url, "Open it and see what Redbooth says")
        self.children = [*self._parts, self.browser]

    @property
    def url(self) -> str:
        """The address with these parameters, each URL-encoded."""
        given = {name: value for name, value in self.parameters.items() if value}
        return f"{AUTHORIZE_URL}?{urlencode(given, quote_via=quote, safe='')}"

    def text(self) -> str:
        """Return the address and its parameters."""
        lines = [f"    {name} = {value}    ({self._about[name]})" for name, value in self.parameters.items() if value]
        return "\n".join([self.url, *lines])

    def _drawn(self) -> str:
        own = self.request.parameters
        rows = [
            (
                name,
                value,
                quote(value, safe=""),
                self._about[name] + ("" if value == own.get(name) else " (changed)"),
            )
            for name, value in self.parameters.items()
            if value
        ]
        note = f"{code(PKCE)} (RFC 7636 section 4.2). Only the challenge is sent now."
        pkce = fold("PKCE", note) if self.request.code_verifier else ""
        return block(self.url) + table(("parameter", "value", "URL-encoded", "meaning"), rows) + pkce
