"""The pages that the browser window shows of its own: where the browser arrived, and what went wrong."""

import html
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlsplit

from redbooth_nb.widgets.texts import TEXTS

OWN_PAGE = Template(Path(__file__).with_name("browser.html").read_text(encoding="utf-8"))


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
    rows = "".join(
        f"<tr><th scope=row>{html.escape(name)}</th><td>{html.escape(meanings[name])}</td></tr>"
        for name in dict.fromkeys(name for name, _ in fields if name in meanings)
    )
    told = "".join(f"<p>{html.escape(line)}</p>" for line in notice.splitlines())
    table = f"<table>{rows}</table>" if rows else ""
    title, text = TEXTS["browser"]["arrived" if sent else "typed"]
    return title, own_page(title, text, f"<p><code>{marked}</code></p>{table}{told}")


def own_page(title: str, text: str, more: str = "") -> str:
    """Return a page. more: markup below the text."""
    said = "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines())
    return OWN_PAGE.substitute(title=html.escape(title), text=said, more=more)
