"""The parameters of a request, to edit before it is sent, each with what it is for."""

import html
from collections.abc import Callable, Mapping
from urllib.parse import quote

import ipywidgets as w

from redbooth_nb.secret import Secret, known_secrets
from redbooth_nb.traffic.redaction import SECRET_FIELDS, hide_in_text
from redbooth_nb.widgets.markup import escaped, shortened
from redbooth_nb.widgets.view import Markup, field, row

Values = Mapping[str, "str | Secret"]


class Parameters:
    """Editable parameters: `values` as they are now, and how to draw them: `rows`.

    own: their values before anything is edited. about: what each is for. on_change: called after a change.
    encoded: whether to show them URL-encoded too.
    A secret is shown by its fingerprint, which stands for it; what is typed over one is a secret from then on.
    """

    def __init__(
        self, own: Values, about: Mapping[str, str], on_change: Callable[[], object], *, encoded: bool = False
    ) -> None:
        self.own: Values = own
        self.values: Values = own
        self._about, self._on_change, self._encoded = about, on_change, encoded
        self._fields, self._notes = {}, {name: Markup().add_class("rv-about") for name in own}
        for name, value in own.items():
            at_once = name not in SECRET_FIELDS  # no half of a secret is ever part of the widget's state
            self._fields[name] = typed = field(w.Text, name, value=str(value), continuous_update=at_once)
            typed.observe(lambda change, name=name: self.change(name, change["new"]), names="value")
            self._note(name)
        self.rows = [row(typed, self._notes[name]) for name, typed in self._fields.items()]

    def change(self, name: str, value: "str | Secret") -> None:
        """Give one another value; an empty one leaves it out. The fingerprint of a secret stands for the secret."""
        own = self.own.get(name, "")
        if isinstance(value, str):
            shown = [own, self.values.get(name, own), *known_secrets()]  # a fingerprint stands for its secret
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
        """Take new own values; those that were edited stay."""
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
        """Whether any was edited."""
        return self.values != self.own

    def _note(self, name: str) -> None:
        value = self.values[name]
        shown = (
            f"<code>{shortened(escaped(quote(value, safe='')))}</code>"
            if self._encoded and isinstance(value, str)
            else ""
        )
        parts = [shown if value else "left out", "<strong>(changed)</strong>" * (value != self.own[name])]
        first = " ".join(filter(None, parts))
        self._notes[name].show("<br>".join(filter(None, (first, html.escape(self._about[name])))))
