"""The markup of panels and of the window's own pages: the macros of panels.html, in which every value is escaped."""

import re
from collections.abc import Callable
from typing import Final, Protocol, cast
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup as Escaped, escape

from redbooth_nb.widgets.view import HERE, TEXTS

FINGERPRINT: Final = re.compile(r"&lt;([a-z ]+) \.\.\.([0-9a-f]{4})&gt;")  # of a secret, in HTML
LONG_ID: Final = re.compile(r"(?<!\S)([\w-]{12})([\w-]{13,})([\w-]{8})(?!\S)")


def colored(value: object) -> Escaped:
    """Return a value as HTML, with the fingerprint of each secret in it in a color of its own."""
    return Escaped(FINGERPRINT.sub(lambda found: panels.fingerprint(Escaped(found[0]), found[2]), escape(str(value))))


def shortened(markup: str) -> Escaped:
    """Return markup with long ids shortened in the middle, each with a button that copies the whole of it."""
    return Escaped(LONG_ID.sub(lambda found: panels.short_id(found[0], found[1], found[3]), markup))


class _Macros(Protocol):
    def __getattr__(self, name: str) -> Callable[..., Escaped]: ...


_environment = Environment(loader=FileSystemLoader(HERE), autoescape=True)
_environment.filters |= {"colored": colored, "shortened": shortened}
panels = cast(_Macros, _environment.get_template("panels.html").module)


def arrival_page(address: str, notice: str, *, sent: bool) -> tuple[str, str]:
    """Return title and markup of the final page: the address with its parameters marked and explained.

    sent: whether Redbooth sent the browser there.
    """
    parts, meanings = urlsplit(address), TEXTS["browser"]["parameters"]
    fields = [*parse_qsl(parts.query, keep_blank_values=True), *parse_qsl(parts.fragment, keep_blank_values=True)]
    marked, known = Escaped(), [name for name, _ in fields if name in meanings]
    for part in re.split("([?&#])", address):  # of the address itself, to show values as they are encoded in it
        name, equals, value = part.partition("=")
        marked += Escaped("{}=<mark>{}</mark>").format(name, value) if name in known and equals else escape(part)
    title, text = TEXTS["browser"]["arrived" if sent else "typed"]
    return title, panels.page(title, text, notice, marked, [(name, meanings[name]) for name in dict.fromkeys(known)])
