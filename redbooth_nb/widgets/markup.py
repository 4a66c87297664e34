"""The markup that panels are made of, styled by view.css: every value in it is escaped."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

from redbooth_nb.secret import Secret

FINGERPRINT: Final = re.compile(r"&lt;([a-z ]+) \.\.\.([0-9a-f]{4})&gt;")  # of a secret, in HTML
LONG, SHORT = 24, 8  # lines
LONG_ID: Final = re.compile(r"(?<!\S)([\w-]{12})([\w-]{13,})([\w-]{8})(?!\S)")
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
    """Return a value as code."""
    return f"<code>{escaped(value)}</code>"


def escaped(value: object) -> str:
    """Return a value as HTML, with the fingerprint of each secret in it in a color of its own."""
    return FINGERPRINT.sub(lambda found: _colored(found[0], found[2]), html.escape(str(value)))


def fingerprint(secret: Secret) -> str:
    """Return a secret's fingerprint in its color, without the kind."""
    return _colored(f"...{secret.fingerprint}", secret.fingerprint)


def _colored(shown: str, digits: str) -> str:
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
    """Return a part that opens on a click or with the keyboard."""
    return f'<details class="rv-fold"{" open" * opened}><summary>{summary}</summary><div>{markup}</div></details>'


def link(url: str, text: str) -> str:
    """Return a link that opens in a new tab and tells the target nothing about this page."""
    return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{html.escape(text)}</a>'
