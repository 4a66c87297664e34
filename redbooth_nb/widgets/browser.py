"""A browser window in the notebook for a stand-in's pages: it shows the address coming back with code and state."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import anywidget
import ipywidgets as w
import requests
from urllib3.exceptions import HTTPError

from redbooth_nb.client.wire import LARGEST, SLOWEST, connect, read_within, transport_failure
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.foreign_errors import page_meaning
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.provider.delivery import Provider, current_provider
from redbooth_nb.provider.visitor import Visitor, document, page_message
from redbooth_nb.traffic.redaction import hide_in_text, hide_in_url
from redbooth_nb.widgets.markup import arrival_page, panels
from redbooth_nb.widgets.view import HERE, TEXTS, Markup, View, shared


class _Window(anywidget.AnyWidget):
    """The drawing, in JavaScript. It has no traits: what it shows is sent as messages, so a notebook never saves it."""

    _esm = HERE / "browser.js"
    _css = HERE / "browser.css"


class Browser(View):
    """A window that shows the pages of a stand-in: `go_to()`, `press()`, `back()`, `reload()`, `use_tab()`.

    It opens `url` when it is drawn. After `use_tab()` a link that opens it in a tab appears below; on redbooth.com
    there is only that link. label: what the link says. answer: the button to press where nobody is at the browser.
    on_tab: called before a link is shown. on_arrival: called with the address outside Redbooth that the window was
    sent to; the window shows what it returns, or the RedboothError that it raises. turned_to: set it, and the window
    comes into view when it is drawn next, with the keyboard in its page.
    """

    def __init__(
        self,
        url: str,
        label: str = "Open the page",
        *,
        answer: str = "",
        on_tab: Callable[[], object] = lambda: None,
        on_arrival: Callable[[str], str] = lambda _: TEXTS["browser"]["nobody"],
    ) -> None:
        provider = current_provider()
        self._url, self._label, self._on_tab, self._on_arrival = url, label, on_tab, on_arrival
        self._provider, self._visitor = provider, Visitor(_window_session(provider))
        self._notice, self._near, self._page, self.turned_to = "", False, 0, False
        self._tab = self._button("Use a tab in my own browser", self.use_tab)
        self._link, self._window, self.in_tab = Markup(), _Window(layout=shared(w.Layout)), provider.kind == "live"
        self._window.on_msg(lambda _, asked, __: self._take(asked))
        super().__init__([self._window, self._message])
        if self.in_tab:
            self.use_tab()
        elif answer and Configuration.read().unattended:  # without the style sheets that only a drawing needs
            self._visitor.open(url)
            self._visitor.press(answer)

    @property
    def arrived(self) -> bool:
        """Whether the window was sent to an address outside Redbooth."""
        return self._visitor.arrived is not None

    def use_tab(self) -> None:
        """Show a link to open in a tab of your own browser. The window stays: either can be used."""
        self.in_tab = True
        self._on_tab()
        shown = panels.tab_link(self._provider.link(self._url), self._label)
        if self._provider.kind == "live":
            self.children = [Markup(shown), self._message]
        else:
            self._link.value = f"{shown}, or continue in the window above."
            self._arrange()

    @only_kit_errors
    def go_to(self, url: str) -> None:
        """Go to an address. Raises RedboothError when it cannot be opened."""
        self._do(lambda: self._visitor.open(url))

    @only_kit_errors
    def press(self, button: str, **values: str) -> None:
        """Press a button, or follow a link, by its text. values: what to fill in, keyed by the end of a name."""
        if self._visitor.page is None:
            self.go_to(self._url)
        if self._visitor.arrived is None:  # else Redbooth did not ask
            self._do(lambda: self._visitor.press(button, **values))

    def back(self) -> None:
        """Show the page before this one."""
        self._do(self._visitor.back)

    @only_kit_errors
    def reload(self) -> None:
        """Ask for the page again."""
        self._do(self._visitor.reload if self._visitor.page is not None else lambda: self._visitor.open(self._url))

    def text(self) -> str:
        """Describe what the window shows. Secrets in an address that came back are hidden."""
        if self._visitor.arrived is not None:
            return f"The browser was sent to {hide_in_url(self._visitor.arrived.reveal())}"
        if self._visitor.page is None:
            return f"A browser window that opens {self._url.partition('?')[0]}"
        return f"{hide_in_text(self._visitor.title)}\n{hide_in_url(self._visitor.page.url)}"

    def _do(self, action: Callable[[], None]) -> None:
        before = self._visitor.arrived
        self._page += 1
        try:
            action()
            self._notice = ""
            if (arrived := self._visitor.arrived) is not None and arrived is not before:
                try:
                    self._notice = self._on_arrival(arrived.reveal())
                except RedboothError as error:
                    self._notice = str(error)
        finally:
            self._show()

    def _take(self, asked: Any) -> None:  # whatever the page sends
        try:
            self._act(asked)
        except RedboothError as error:  # becomes a page, as in any browser
            self._tell(self._url, "This page can't be opened", panels.page("This page can't be opened", str(error)))

    @only_kit_errors
    def _act(self, asked: Any) -> None:
        match asked:
            case {"page": page} if page != self._page:
                return  # a second click on a page that has been left since
            case {"ready": near}:
                self._near = near is True  # a tab reaches the kernel's port only where both are on one machine
                if self._visitor.page is None and self._visitor.arrived is None:
                    self.go_to(self._url)
                else:
                    self._show()
            case {"open": str(url)}:
                self.go_to(url)
            case {"typed": str(url)}:  # browsers add what is left out
                self.go_to(url if "://" in url else f"https://{url}")
            case {"submit": [str(method), str(url), list(fields)]} if all(map(_is_field, fields)):
                self._do(lambda: self._visitor.open(url, method, [(name, value) for name, value in fields]))
            case {"go": "back" | "reload" as step}:
                getattr(self, step)()

    def _arrange(self) -> None:
        tab = [self._link] if self.in_tab else [self._tab] * self._near
        self.children = [self._window, self._message, *(tab if not self.arrived else [])]

    def _show(self) -> None:
        arrived, page = self._visitor.arrived, self._visitor.page
        self._arrange()
        if arrived is not None:
            self._message.say("")  # it was about the page before
            self._tell(arrived.reveal(), *arrival_page(arrived.reveal(), self._notice, sent=self._visitor.sent))
        elif page is not None:
            refused = page.url.partition("?")[0] == AUTHORIZE_URL and document(page).find(".//pre") is not None
            self._message.say(str((refused and page_meaning(page_message(page))) or ""), "problem")
            title = hide_in_text(self._visitor.title)  # it may hold anything
            self._tell(page.url, title, page.text, self._styles())

    def _tell(self, address: str, title: str, markup: str, styles: str = "") -> None:
        shown = {"address": address, "title": title, "html": markup, "styles": styles, "page": self._page}
        self._window.send(shown | {"back": self._visitor.can_go_back, "focus": self.turned_to})
        self.turned_to = False

    def _styles(self) -> str:
        """Return the style sheets that the provider gives; a page does without the others."""
        session, styles = requests.Session(), ""
        self._provider.deliver(session)
        for url in self._visitor.style_sheets():
            with suppress(requests.RequestException, HTTPError):
                answer = session.get(url, timeout=5, allow_redirects=False, stream=True)
                read_within(answer, largest=LARGEST, slowest=SLOWEST)
                styles += answer.text if answer.ok else ""
        return styles


def _is_field(sent: object) -> bool:
    return isinstance(sent, list) and [type(part) for part in sent] == [str, str]


@cache
def _window_session(provider: Provider) -> requests.Session:
    """Return the session of all windows: one person is signed in everywhere, and pages are bounded as answers are."""

    def read(page: requests.Response, **_: object) -> None:
        try:
            read_within(page, largest=LARGEST, slowest=SLOWEST)
        except requests.RequestException as error:
            raise transport_failure(error, "The server") from None

    session = connect(requests.Session(), provider)
    session.hooks["response"].insert(0, read)  # before the transcript, which reads everything
    return session
