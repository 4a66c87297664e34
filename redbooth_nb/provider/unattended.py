"""What a person does in the browser, done by the kit when no one is there (`REDBOOTH_UNATTENDED=1`).

It reads the provider's pages and sends their own forms, so it works on the sandbox, on a real Doorkeeper and
on recordings. It never runs against the real redbooth.com: only a person can give permission there.
"""

from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests

from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import NEW_APPLICATION_URL

if TYPE_CHECKING:
    from lxml import etree

MOST_PAGES = 5  # a login page and a few redirects at most
TIMEOUT = (5, 30)  # seconds
LONGEST_MESSAGE = 300  # characters


class UnattendedError(RedboothError):
    """The kit could not do what a person would have done."""


@only_kit_errors
def press(session: requests.Session, authorize_url: str, redirect_uri: str, answer: str) -> str:
    """Open the authorize page, press Allow or Deny, and return the callback URL the browser would be sent to.

    answer: "allow" or "deny". If the user allowed this app before, the engine may send the code without asking.
    Raises UnattendedError when the page has no such button, quoting what it says.
    """
    page = _ask(session, "GET", authorize_url)
    for _ in range(MOST_PAGES):
        location = page.headers.get("Location")
        url = urljoin(page.url, location or "")
        if location and url.startswith(redirect_uri):
            return url
        page = _ask(session, "GET", url) if location else _ask(session, "POST", *_form(page, answer))
    raise UnattendedError(
        "The authorize page kept redirecting in circles.", remedy="See in the transcript what the provider answered."
    )


@only_kit_errors
def register_application(session: requests.Session, name: str, redirect_uri: str) -> tuple[str, str]:
    """Fill in the provider's registration form; return Api Key and App secret. Raises UnattendedError."""
    page = _ask(session, "GET", NEW_APPLICATION_URL, follow=True)
    url, fields = _form(page, "create")
    fields |= {"doorkeeper_application[name]": name, "doorkeeper_application[redirect_uri]": redirect_uri}
    page = _ask(session, "POST", url, fields, follow=True)
    shown = {mark.get("id"): _text(mark) for mark in _document(page).iterfind(".//*[@id]")}
    if not shown.keys() >= {"application_id", "secret"}:
        raise UnattendedError("The app could not be registered.", why=_said(page), remedy="Register it in the browser.")
    return shown["application_id"], shown["secret"]


def _ask(
    session: requests.Session, method: str, url: str, fields: dict[str, str] | None = None, *, follow: bool = False
) -> requests.Response:
    try:
        return session.request(method, url, data=fields, allow_redirects=follow, timeout=TIMEOUT)
    except requests.RequestException:
        raise UnattendedError(
            f"{method} {url.partition('?')[0]}: the provider did not answer.",
            remedy="Make sure that it is running, then run the cell again.",
        ) from None


def _form(page: requests.Response, answer: str) -> tuple[str, dict[str, str]]:
    """Return the address and the fields of the form that the button `answer` would send."""
    for form in _document(page).iter("form"):
        inputs = [field for field in form.iter("input", "textarea") if field.get("type") != "submit"]
        fields = {field.get("name", ""): field.get("value", "") for field in inputs if field.get("name")}
        method = fields.get("_method", "post").lower()
        wanted = {
            "allow": method == "post" and "response_type" in fields,
            "deny": method == "delete" and "response_type" in fields,
            "create": "doorkeeper_application[name]" in fields,
        }
        if wanted.get(answer):
            return urljoin(page.url, form.get("action", "")), fields
    raise UnattendedError(
        f"The page has no button to {answer}.",
        why=_said(page),
        remedy="Compare the request with the guide's, parameter by parameter.",
        reference="guide, chapter 2",
    )


def page_message(page: requests.Response) -> str:
    """Return what an error page tells the person who sees it."""
    document = _document(page)
    return _text(next(found for tag in ("pre", "main", "body", "*") for found in document.iter(tag)))[:LONGEST_MESSAGE]


def _said(page: requests.Response) -> str:
    return f'The answer was {page.status_code}; the page says: "{page_message(page)}"'


def _document(page: requests.Response) -> "etree._Element":
    """Parse a page, whatever it is; an empty page is an empty document."""
    from lxml import etree  # lxml.html would take three times as long to import

    # bytes: lxml refuses text that names its own encoding
    document = etree.HTML(page.text.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8"))
    if document is None:
        return etree.Element("html")
    etree.strip_elements(document, etree.Comment, "script", "style", with_tail=False)
    return document


def _text(element: "etree._Element") -> str:
    """Return what a person would read there."""
    return " ".join(filter(None, (str(part).strip() for part in element.itertext())))
