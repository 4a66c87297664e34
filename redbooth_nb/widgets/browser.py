"""A browser window in the notebook, for the pages of a stand-in: it shows the address with code and state come back.

Pages and addresses travel as messages and are never part of the widget's state, so a notebook never saves them.
"""

import html
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anywidget
import requests

from redbooth_nb import connect
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.provider import Provider
from redbooth_nb.provider.visitor import Visitor
from redbooth_nb.traffic.redaction import hide_in_url
from redbooth_nb.widgets.appearance import shared_layout
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.texts import TEXTS
from redbooth_nb.widgets.view import Markup, View, button, link

HERE = Path(__file__).parent
OWN_PAGE = Template((HERE / "browser.html").read_text(encoding="utf-8"))


class _Window(anywidget.AnyWidget):
    """The drawing, in JavaScript. It has no traits: everything it shows is sent to it as messages."""

    _esm = HERE / "browser.js"
    _css = HERE / "browser.css"

    def __init__(self) -> None:
        super().__init__(layout=shared_layout())


class Browser(View):
    """A window that shows the pages of a stand-in: `go_to()`, `press()`, `back()`, `reload()`, `use_tab()`.

    It opens `url` when it is drawn. On redbooth.com, and after `use_tab()`, it is a link to open in a tab instead.
    label: what the link says. on_tab: called before a link is shown. on_arrival: called with the address outside
    Redbooth that the window was sent to; the window shows what it returns, or the RedboothError that it raises.
    """

    picture = "browser"

    def __init__(
        self,
        url: str,
        label: str = "Open the page",
        *,
        on_tab: Callable[[], object] = lambda: None,
        on_arrival: Callable[[str], str] = lambda _: TEXTS["browser"]["nobody"],
    ) -> None:
        provider = current_provider()
        self._url, self._label, self._on_tab, self._on_arrival = url, label, on_tab, on_arrival
        self._provider, self._visitor, self._assets = provider, Visitor(_session(provider)), requests.Session()
        provider.deliver(self._assets)
        self._notice, self._message, self._near = "", Message(), False
        self._tab = button("Use a tab in my own browser", self.use_tab, self._message)
        self._window = _Window()
        self._window.on_msg(self._take)
        self.in_tab = provider.kind == "live"
        super().__init__([self._window, self._message])
        if self.in_tab:
            self.use_tab()

    def use_tab(self) -> None:
        """Show a link to open in a tab of your own browser, in place of the window."""
        self.in_tab = True
        self._on_tab()
        shown = link(self._provider.link(self._url), self._label)
        self.children = [Markup(f"<strong>{shown}</strong> (opens in a new tab)"), self._message]

    def go_to(self, url: str) -> None:
        """Go to an address. Raises RedboothError when it cannot be opened."""
        self._do(lambda: self._visitor.open(url))

    def press(self, button: str, **values: str) -> None:
        """Press a button, or follow a link, by its text. values: what to fill in, by the end of the field's name."""
        if self._visitor.page is None:
            self.go_to(self._url)
        if self._visitor.arrived is None:  # else Redbooth did not ask
            self._do(lambda: self._visitor.press(button, **values))

    def back(self) -> None:
        """Show the page before this one."""
        self._do(self._visitor.back)

    def reload(self) -> None:
        """Ask for the page again."""
        self._do(self._visitor.reload)

    def text(self) -> str:
        """Describe what the window shows. Secrets in an address that came back are hidden."""
        if self._visitor.arrived is not None:
            return f"The browser was sent to {hide_in_url(self._visitor.arrived.reveal())}"
        if self._visitor.page is None:
            return f"A browser window that opens {self._url.partition('?')[0]}"
        return f"{self._visitor.title}\n{hide_in_url(self._visitor.page.url)}"

    def _do(self, action: Callable[[], None]) -> None:
        """Do something, take where it leads, and show it. Raises RedboothError."""
        before = self._visitor.arrived
        try:
            action()
            self._notice = ""
            if (arrived := self._visitor.arrived) is not None and arrived is not before:
                self._notice = self._arrive(arrived.reveal())
        finally:
            self._show()

    def _arrive(self, address: str) -> str:
        try:
            return self._on_arrival(address)
        except RedboothError as error:
            return str(error)

    def _take(self, _: object, asked: Any, __: object) -> None:  # noqa: ANN401  (whatever the page sends)
        """Do what was clicked. An error becomes a page, as in any browser."""
        try:
            match asked:
                case {"ready": near}:
                    self._near = near is True  # a tab reaches the kernel's port only where both are on one machine
                    if self._visitor.page is None and self._visitor.arrived is None:
                        self.go_to(self._url)
                    else:
                        self._show()
                case {"open": str(url)}:
                    self.go_to(url)
                case {"submit": [str(method), str(url), list(fields)]} if all(map(_is_field, fields)):
                    self._do(lambda: self._visitor.submit(method, url, map(tuple, fields)))
                case {"go": "back"}:
                    self.back()
                case {"go": "reload"}:
                    self.reload()
        except RedboothError as error:
            self._tell(self._url, "This page can't be opened", _page("This page can't be opened", str(error)))

    def _show(self) -> None:
        arrived, page = self._visitor.arrived, self._visitor.page
        offer_tab = [self._tab] if self._near and arrived is None else []
        self.children = [self._window, self._message, *offer_tab]
        if arrived is not None:
            self._tell(arrived.reveal(), "Back at your app", _arrival(arrived.reveal(), self._notice))
        elif page is not None:
            styles = "".join(map(self._style, self._visitor.style_sheets()))
            self._tell(page.url, self._visitor.title, page.text, styles)

    def _tell(self, address: str, title: str, markup: str, styles: str = "") -> None:
        shown = {"address": address, "title": title, "html": markup, "styles": styles}
        self._window.send(shown | {"back": self._visitor.can_go_back})

    @cache  # noqa: B019  (as long as the window lives)
    def _style(self, url: str) -> str:
        try:
            answer = self._assets.get(url, timeout=5)
        except requests.RequestException:
            return ""
        return answer.text if answer.ok else ""


@cache
def _session(provider: Provider) -> requests.Session:
    """Return the session that all windows share, so that the same person is signed in everywhere."""
    return connect(requests.Session(), provider)


def _is_field(sent: object) -> bool:
    return isinstance(sent, list) and [type(part) for part in sent] == [str, str]


def _arrival(address: str, notice: str) -> str:
    """Return the final page: the address with its parameters marked and explained."""
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
    return _page("Back at your app", TEXTS["browser"]["arrived"], f"<p><code>{marked}</code></p>{table}{told}")


def _page(title: str, text: str, more: str = "") -> str:
    said = "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines())
    return OWN_PAGE.substitute(title=html.escape(title), text=said, more=more)
