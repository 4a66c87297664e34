"""The pages of the browser window: a stand-in's, within bounds, and its own, for an arrival and for what went wrong."""

import html
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlsplit

import requests

from redbooth_nb.client.wire import LARGEST, SLOWEST, connect, read_within, transport_failure
from redbooth_nb.provider.delivery import Provider
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


@cache
def style_sheet(provider: Provider, url: str) -> str:
    """Return a style sheet, "" where it is refused. Raises RequestException (when it is too large, too), HTTPError."""
    session = requests.Session()
    provider.deliver(session)
    answer = session.get(url, timeout=5, allow_redirects=False, stream=True)
    read_within(answer, largest=LARGEST, slowest=SLOWEST)
    return answer.text if answer.ok else ""


@cache
def window_session(provider: Provider) -> requests.Session:
    """Return the session that all windows share, so that the same person is signed in everywhere.

    It refuses pages that are too large or too slow, as the client refuses such answers of the API.
    """

    def read(page: requests.Response, **_: object) -> None:
        try:
            read_within(page, largest=LARGEST, slowest=SLOWEST)
        except requests.RequestException as error:
            raise transport_failure(error, "The server") from None

    session = connect(requests.Session(), provider)
    session.hooks["response"].insert(0, read)  # before the transcript, which reads everything
    return session
