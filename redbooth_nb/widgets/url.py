"""The authorize URL taken apart: each parameter decoded and encoded, to edit and see what changes."""

from urllib.parse import quote, urlencode

import ipywidgets as w

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import parameter_meanings
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, code, field, fold, link, table


class UrlView(View):
    """Shows the parameters of `request`. `change()` does what typing does; the request itself stays as it is.

    A changed URL is for looking: an answer to it counts only when client id, redirect URI and state are the request's.
    """

    picture = (
        "url",
        "an authorize address, its parameters decoded and encoded in a table, and a field to change each.",
    )

    def __init__(self, request: AuthorizationRequest | None = None) -> None:
        self.request = request or AuthorizationRequest.new()
        self.parameters = self.request.parameters
        self._meanings = parameter_meanings()
        self._fields = {name: field(w.Text, name, value=value) for name, value in self.parameters.items()}
        for name, typed in self._fields.items():
            typed.observe(lambda change, name=name: self.change(name, change["new"]), names="value")
        message = Message()
        self._markup = Markup(self._drawn())
        super().__init__([self._markup, *self._fields.values(), button("As it was", self.restore, message), message])

    def change(self, name: str, value: str) -> None:
        """Give a parameter another value; an empty one leaves it out."""
        self.parameters = {**self.parameters, name: value}
        if name in self._fields and self._fields[name].value != value:
            self._fields[name].value = value  # comes back here by way of the observer
            return
        self._markup.show(self._drawn())

    def restore(self) -> None:
        """Give every parameter the request's own value again."""
        for name, value in self.request.parameters.items():
            self.change(name, value)

    @property
    def url(self) -> str:
        """The address as it stands, every parameter URL-encoded."""
        given = {name: value for name, value in self.parameters.items() if value}
        return f"{AUTHORIZE_URL}?{urlencode(given, quote_via=quote, safe='')}"

    def text(self) -> str:
        """Return the address and its parameters."""
        lines = [
            f"    {name} = {value}    ({self._meanings[name]})" for name, value in self.parameters.items() if value
        ]
        return "\n".join([self.url, *lines])

    def _drawn(self) -> str:
        own = self.request.parameters
        rows = [
            (
                name,
                value,
                quote(value, safe=""),
                self._meanings[name] + ("" if value == own.get(name) else " (changed)"),
            )
            for name, value in self.parameters.items()
            if value
        ]
        here = link(self.request.settings.provider.link(self.url), "Open it, and see what Redbooth says")
        pkce = ""
        if self.request.code_verifier is not None:
            formula = "code_challenge = BASE64URL(SHA256(code_verifier)), without = at the end"
            pkce = fold("PKCE", f"{code(formula)} (RFC 7636 section 4.2). Only the challenge travels now.")
        heads = ("parameter", "value", "URL-encoded", "meaning")
        return block(self.url) + table(heads, rows) + pkce + here
