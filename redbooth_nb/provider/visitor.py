"""A person's browser without a screen, for the provider's own pages: cookies, history, redirects, forms and buttons.

It drives the window in the notebook, and takes the place of a person where no one is there (`REDBOOTH_UNATTENDED=1`).
It reads the pages and sends their own forms, so it works in the sandbox, on a real Doorkeeper and on recordings.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import NEW_APPLICATION_URL, ORIGIN
from redbooth_nb.secret import Secret, hider

if TYPE_CHECKING:
    from lxml.etree import _Element

MOST_REDIRECTS, MOST_PAGES, MOST_SHEETS = 10, 50, 5  # pages: to go back to; sheets: the style sheets of a page
LONGEST_MESSAGE, HEADING = 300, ("pre", "h1", "title")  # characters; the error or the title of a page
TIMEOUT = (5, 30)  # seconds
# what the buttons are called on Redbooth's pages, on Doorkeeper's, and in the sandbox's
WORDS = {"allow": ("Allow", "Authorize"), "deny": ("Deny",), "create": ("Register", "Submit")}


class VisitorError(RedboothError):
    """A page could not be opened, or has no such button."""


class Visitor:
    """Somebody at the provider's pages. It asks no other host for anything.

    session: reaches the provider, whose pages begin with `origin`. page: the last one that was opened, None at first.
    arrived: the address outside the provider to which it went, for example the redirect URI; it was not opened.
    sent: whether the provider sent it there.
    """

    def __init__(self, session: requests.Session, origin: str = ORIGIN) -> None:
        self._session, self._origin = session, origin
        self._history: list[requests.Response] = []
        self.arrived: Secret | None = None
        self.sent = False

    @property
    def page(self) -> requests.Response | None:
        return self._history[-1] if self._history else None

    @property
    def can_go_back(self) -> bool:
        return len(self._history) > (self.arrived is None)

    @only_kit_errors
    def open(self, url: str, method: str = "GET", sent: Iterable[tuple[str, str]] = ()) -> None:
        """Go to an address, absolute or as a link or form on the page gives it, and follow redirects.

        It stops at an address that is not the provider's. sent: the fields of a form. Raises VisitorError.
        """
        method, target = "POST" if method.upper() == "POST" else "GET", self._absolute(url)  # as browsers do
        for redirects in range(MOST_REDIRECTS):
            if _origin(target) != self._origin:
                self.arrived, self.sent = Secret("address", target), redirects > 0
                return
            query, body = (None, list(sent)) if method == "POST" else (list(sent), None)
            try:
                answer = self._session.request(method, target, query, body, allow_redirects=False, timeout=TIMEOUT)
            except (requests.RequestException, HTTPError, ValueError, LookupError):  # also what cannot be sent
                raise VisitorError.named("no_page", request=f"{method} {target.partition('?')[0]}") from None
            if not answer.is_redirect:
                self.arrived = None
                self._history = [*self._history, answer][-MOST_PAGES:]
                return
            method, target, sent = "GET", self._absolute(answer.headers["Location"], answer.url), ()
        raise VisitorError.named("circles")

    @only_kit_errors
    def press(self, answer: str, **values: str) -> None:
        """Press a button or follow a link by its text, or the one for "allow", "deny" or "create".

        values: what to fill in, keyed by the end of a name. Raises VisitorError, quoting the page.
        """
        names, page = WORDS.get(answer, (answer,)), document(self.page)
        for form in page.iter("form"):
            for one in form.iter("input", "button"):
                name = one.get("value", "") if one.tag == "input" else text_of(one)
                if name.strip() in names and one.get("type", "submit") == "submit":
                    return self.open(form.get("action", ""), form.get("method", "get"), fields(form, one, values))
        for link in page.iter("a"):
            if text_of(link) in names:
                return self.open(link.get("href", ""))
        raise VisitorError.named("no_button", answer=answer, said=said(self.page, *HEADING))

    def back(self) -> None:
        """Show the page before this one, as it was."""
        if self.can_go_back:
            del self._history[-1 if self.arrived is None else len(self._history) :]
            self.arrived = None

    def reload(self) -> None:
        """Ask for the page again. Raises VisitorError."""
        if (before := self.page) is not None:
            self.open(before.url)
            if self.page is not before:
                self._history.remove(before)

    def style_sheets(self) -> list[str]:
        """Return the addresses of the page's style sheets, as far as the provider has them."""
        links = [link.get("href", "") for link in document(self.page).iter("link") if link.get("rel") == "stylesheet"]
        return [url for url in map(self._absolute, links) if _origin(url) == self._origin][:MOST_SHEETS]

    @property
    def title(self) -> str:
        return next(map(text_of, document(self.page).iter("title")), "")

    def _absolute(self, url: str, base: str = "") -> str:
        try:
            return urljoin(base or (self.page.url if self.page is not None else self._origin), url)
        except ValueError:
            raise VisitorError.named("no_page", request="An invalid address") from None


@only_kit_errors
def press(session: requests.Session, authorize_url: str, redirect_uri: str, answer: str) -> str:
    """Open the authorize page, press Allow or Deny, and return the callback URL the browser would be sent to.

    answer: "allow" or "deny". If the user allowed this app before, the engine may send the code without asking.
    Raises VisitorError when the page has no such button, quoting what it says.
    """
    visitor = Visitor(session, _origin(authorize_url))
    visitor.open(authorize_url)
    if visitor.arrived is None:
        visitor.press(answer)
    url = visitor.arrived.reveal() if visitor.arrived else ""
    if not url.startswith(redirect_uri):
        raise VisitorError.named("not_sent_back", said=said(visitor.page, *HEADING))
    return url


@only_kit_errors
def register_application(session: requests.Session, name: str, redirect_uri: str) -> tuple[str, str]:
    """Fill in the provider's registration form; return Api Key and App secret. Raises VisitorError."""
    visitor = Visitor(session)
    visitor.open(NEW_APPLICATION_URL)
    visitor.press("create", **{"[name]": name, "[redirect_uri]": redirect_uri})
    shown = {mark.get("id"): text_of(mark) for mark in document(visitor.page).iterfind(".//*[@id]")}
    if not shown.keys() >= {"application_id", "secret"}:  # unless it is the form again, it may show a new secret
        again = any("[name]" in str(field.get("name")) for field in document(visitor.page).iter("input"))
        raise VisitorError.named("not_registered", said=said(visitor.page, *([] if again else HEADING)))
    return shown["application_id"], shown["secret"]


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(':443' if parts.scheme == 'https' else ':80')}"
    except ValueError:
        return ""


def page_message(page: requests.Response, *tags: str) -> str:
    """Return the text of the first of these elements; by default, what an error page tells the person who sees it."""
    found = next((each for tag in tags or ("pre", "main", "body", "*") for each in document(page).iter(tag)), None)
    text = "" if found is None else text_of(found)
    return hider(text)(text)[:LONGEST_MESSAGE]


def said(page: requests.Response | None, *tags: str) -> str:
    """Quote a page in a sentence, "" where there is none. HEADING: the tags whose text never holds a secret."""
    quoted = "" if page is None else page_message(page, *tags)
    return "" if page is None else f'The answer was {page.status_code}; the page says: "{quoted}"'


def document(page: requests.Response | str | None) -> "_Element":
    """Parse a page, whatever it is; an empty page is an empty document."""
    from lxml import etree  # lxml.html would take three times as long to import

    # bytes: lxml refuses text that names its own encoding
    text = page.text if isinstance(page, requests.Response) else page or ""
    parsed = etree.HTML(text.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8"))
    if parsed is None:
        return etree.Element("html")
    etree.strip_elements(parsed, etree.Comment, "script", "style", with_tail=False)
    return parsed


def text_of(element: "_Element") -> str:
    return " ".join(filter(None, (str(part).strip() for part in element.itertext())))


def fields(form: "_Element", pressed: "_Element", values: dict[str, str]) -> list[tuple[str, str]]:
    """Return what a browser sends when the button is pressed. values: what was typed, keyed by a name's end."""
    found = []
    for one in form.iter("input", "textarea", "button"):
        name, kind = one.get("name", ""), one.get("type", "")
        left_out = one is not pressed and (one.tag == "button" or kind == "submit")
        if name and not left_out and (kind != "checkbox" or "checked" in one.attrib):
            own = (one.text or "").removeprefix("\n") if one.tag == "textarea" else one.get("value", "")
            found.append((name, next((value for end, value in values.items() if name.endswith(end)), own)))
    return found
