"""The markup that panels and the window's own pages are made of: every value in it is escaped."""

import html
import re
from collections.abc import Iterable, Sequence
from string import Template
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from redbooth_nb.widgets.view import HERE, TEXTS

FINGERPRINT: Final = re.compile(r"&lt;([a-z ]+) \.\.\.([0-9a-f]{4})&gt;")  # of a secret, in HTML
LONG, SHORT = 24, 8  # lines
LONG_ID: Final = re.compile(r"(?<!\S)([\w-]{12})([\w-]{13,})([\w-]{8})(?!\S)")
OWN_PAGE: Final = Template((HERE / "browser.html").read_text(encoding="utf-8"))
COPY: Final = '<button type="button" class="rv-copy" aria-live="polite"{more}>Copy</button>'


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an HTML table; every cell is escaped, and long ids are shortened. The first column is not broken."""
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
    body = ""
    for name, *values in rows:
        cells = "".join(f"<td>{shortened(escaped(value))}</td>" for value in values)
        body += f'<tr><th scope="row">{code(name)}</th>{cells}</tr>'
    return f'<table class="rv-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def shortened(markup: str) -> str:
    """Return markup with long ids shortened in the middle, each with a button that copies the whole of it."""
    copy = COPY.format(more=r' title="Copy all of it" data-whole="\g<0>"')
    return LONG_ID.sub(rf'<span class="rv-id"><span>\1...\3</span> {copy}</span>', markup)


def code(value: object) -> str:
    return f"<code>{escaped(value)}</code>"


def escaped(value: object) -> str:
    """Return a value as HTML, with the fingerprint of each secret in it in a color of its own."""
    return FINGERPRINT.sub(lambda found: colored(found[0], found[2]), html.escape(str(value)))


def colored(shown: str, digits: str) -> str:
    number = int(digits, 16)  # six hues from blue to pink, light or strong; green, amber and red would judge
    style = f"--rv-hue: {190 + 26 * (number % 6)}; --rv-tint: {18 + 24 * (number // 6 % 2)}%"
    return f'<span class="rv-print" style="{style}">{shown}</span>'


def block(text: str) -> str:
    """Return a block of code with a button that copies it (message.js does); a long one scrolls."""
    return f'<div class="rv-block"><pre tabindex="0">{escaped(text)}</pre>{COPY.format(more="")}</div>'


def side_by_side(trip: object) -> str:
    """Return a request and its response, below each other where narrow; most of a long one is folded."""
    parts = ""
    for name, text in zip(("Request", "Response"), str(trip).split("\n--> ", 1), strict=False):
        lines, shown = text.splitlines(), block(text)
        if len(lines) > LONG:
            shown = block("\n".join([*lines[:SHORT], "..."])) + fold(f"All {len(lines)} lines", shown)
        parts += f'<div><p class="rv-head">{name}</p>{shown}</div>'
    return f'<div class="rv-trip">{parts}</div>'


def fold(summary: str, markup: str, *, opened: bool = False) -> str:
    return f'<details class="rv-fold"{" open" * opened}><summary>{summary}</summary><div>{markup}</div></details>'


def link(url: str, text: str) -> str:
    """Return a link that opens in a new tab and tells the target nothing about this page."""
    return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{html.escape(text)}</a>'


def arrival_page(address: str, notice: str, *, sent: bool) -> tuple[str, str]:
    """Return title and markup of the final page: the address with its parameters marked and explained.

    sent: whether Redbooth sent the browser there.
    """
    parts, meanings = urlsplit(address), TEXTS["browser"]["parameters"]
    fields = [*parse_qsl(parts.query, keep_blank_values=True), *parse_qsl(parts.fragment, keep_blank_values=True)]
    marked = html.escape(address)
    for name, value in fields:
        if name in meanings and value in address:
            marked = marked.replace(f"{name}={html.escape(value)}", f"{name}=<mark>{html.escape(value)}</mark>")
    told = {name: html.escape(meanings[name]) for name, _ in fields if name in meanings}
    rows = "".join(f"<tr><th scope=row>{name}</th><td>{meaning}</td></tr>" for name, meaning in told.items())
    table = f"<table>{rows}</table>" if rows else ""
    title, text = TEXTS["browser"]["arrived" if sent else "typed"]
    return title, own_page(title, text, f"<p><code>{marked}</code></p>{table}", notice)


def own_page(title: str, text: str, more: str = "", notice: str = "") -> str:
    above, below = ("".join(f"<p>{html.escape(line)}</p>" for line in part.splitlines()) for part in (text, notice))
    return OWN_PAGE.substitute(title=html.escape(title), text=above, more=more + below)
