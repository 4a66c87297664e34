"""The parameters of a request, each with its purpose and editable; and the authorize URL, taken apart into them."""

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

import ipywidgets as w
from markupsafe import Markup as Escaped

from redbooth_nb import AUTHORIZE_URL, AuthorizationRequest
from redbooth_nb.client.errors import meanings
from redbooth_nb.errors import only_kit_errors
from redbooth_nb.secret import Secret, known_secrets
from redbooth_nb.traffic.redaction import SECRET_FIELDS, hide_in_text
from redbooth_nb.widgets.browser import Browser
from redbooth_nb.widgets.markup import panels
from redbooth_nb.widgets.view import Markup, View, field, row

Values = Mapping[str, "str | Secret"]
PKCE = "code_challenge = BASE64URL(SHA256(code_verifier)), without = at the end"


class Parameters:
    """Editable parameters: `values` as they are now, and how to draw them: `rows`.

    own: their values before anything is edited. about: what each is for. on_change: called after a change.
    encoded: whether to show them URL-encoded too.
    A secret is shown by its fingerprint, which stands for it; what is typed over one is a secret from then on.
    """

    def __init__(
        self, own: Values, about: Mapping[str, str], on_change: Callable[[], object], *, encoded: bool = False
    ) -> None:
        self.own = self.values = own
        self._about, self._on_change, self._encoded = about, on_change, encoded
        self._fields, self._notes = {}, {name: Markup().add_class("rv-about") for name in own}
        for name, value in own.items():
            at_once = name not in SECRET_FIELDS  # no fragment of a secret is ever part of the widget's state
            self._fields[name] = typed = field(w.Text, name, value=str(value), continuous_update=at_once)
            typed.observe(lambda change, name=name: self.change(name, change["new"]), names="value")
            self._note(name)
        self.rows = [row(typed, self._notes[name]) for name, typed in self._fields.items()]

    def change(self, name: str, value: "str | Secret") -> None:
        """Give a parameter a different value; an empty one leaves it out. A fingerprint stands for its secret."""
        own = self.own.get(name, "")
        if isinstance(value, str):
            shown = [own, self.values.get(name, own), *known_secrets()]
            value = next((one for one in shown if str(one) == value), value)
        secret = isinstance(value, str) and (name in SECRET_FIELDS or hide_in_text(value) != value)
        if isinstance(value, str) and secret and value not in {"", own}:
            value = Secret(f"other {SECRET_FIELDS.get(name, 'secret')}", value)
        changed, self.values = value != self.values.get(name), {**self.values, name: value}
        if name in self._fields:
            self._fields[name].value = str(value)  # comes back here by way of the observer
            self._note(name)
        if changed:
            self._on_change()

    def reset(self) -> None:
        """Give each its own value again."""
        for name, value in self.own.items():
            self.change(name, value)

    def follow(self, own: Values) -> None:
        """Take new initial values; edited values stay."""
        before, self.own = self.own, own
        for name, value in own.items():
            if self.values[name] == before[name]:
                self.change(name, value)

    @property
    def given(self) -> list[tuple[str, "str | Secret"]]:
        """Name and value of those that are not left out."""
        return [(name, value) for name, value in self.values.items() if value]

    @property
    def plain(self) -> dict[str, str]:
        """The same with secrets revealed, to send."""
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in self.given}

    @property
    def changed(self) -> bool:
        return self.values != self.own

    def _note(self, name: str) -> None:
        value = self.values[name]
        encoded = quote(value, safe="") if self._encoded and isinstance(value, str) else ""
        note = panels.parameter(self._about[name], encoded, not value, value != self.own[name])
        self._notes[name].value = note


class UrlView(View):
    """Shows the parameters of `request`. `change()` does what typing does; the request itself stays as it is.

    An answer to a changed URL is only accepted if client id, redirect URI and state are still the request's.
    """

    @only_kit_errors
    def __init__(self, request: AuthorizationRequest | None = None) -> None:
        self.request = request or AuthorizationRequest.new()
        self._about = meanings()["parameter"]
        self._address, self.browser = Markup(), w.VBox()
        self.parameters = Parameters(self.request.parameters, self._about, self._draw, encoded=True)
        self.change, self.reset = self.parameters.change, self.parameters.reset
        see = self._button("See what Redbooth says", self.visit, primary=True)
        note = panels.code(PKCE) + " (RFC 7636 section 4.2). Only the challenge is sent now."
        pkce = [Markup(panels.fold("PKCE", note))] if self.request.code_verifier else []
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
        drawn = panels.block(self.url)
        for name, value in self.parameters.given:
            if value != self.parameters.own.get(name):
                part = f"{name}={quote(str(value), safe='')}"
                drawn = drawn.replace(part, Escaped("<mark>{}</mark>").format(part))
        self._address.value = drawn
        self.browser.children = []  # it showed another address


def _address(parameters: dict[str, str]) -> str:
    return f"{AUTHORIZE_URL}?{urlencode(parameters, quote_via=quote, safe='')}"
