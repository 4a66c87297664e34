"""What a person does in the browser, done by the kit where nobody sits there (`REDBOOTH_UNATTENDED=1`).

It reads the provider's pages and sends their own forms, so it works on the sandbox, on a real Doorkeeper and
on recordings. It never runs against the real redbooth.com: permission there is a person's to give.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests

from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import NEW_APPLICATION_URL

if TYPE_CHECKING:
    from lxml import etree

MOST_PAGES = 5  # a login page and a few redirects at most
TIMEOUT = (5, 30)  # seconds


class UnattendedError(RedboothError):
    """The kit could not do what a person would have done."""


@only_kit_errors
def press(session: requests.Session, authorize_url: str, redirect_uri: str, answer: str) -> str:
    """Open the authorize page, press Allow or Deny, and return the callback URL the browser would be sent to.

    answer: "allow" or "deny". Where the permission still stands the engine asks nobody: the code comes at once.
    Raises UnattendedError when the page has no such button, quoting what it says.
    """
    url, form = authorize_url, None
    for _ in range(MOST_PAGES):
        if form is None:
            page = _ask(session, "GET", url, allow_redirects=False)
        else:
            page = _ask(session, "POST", url, data=form, allow_redirects=False)
        location = page.headers.get("Location")
        if location is None:
            url, form = _form(page, answer)
            continue
        url, form = urljoin(page.url, location), None
        if url.startswith(redirect_uri):
            return url
    raise UnattendedError(
        "The authorize page went round in circles.", remedy="Look at the transcript to see what the provider said."
    )


@only_kit_errors
def register_application(session: requests.Session, name: str, redirect_uri: str) -> tuple[str, str]:
    """Fill in the provider's registration form; return Api Key and App secret. Raises UnattendedError."""
    page = _ask(session, "GET", NEW_APPLICATION_URL)
    url, fields = _form(page, "create")
    fields |= {"doorkeeper_application[name]": name, "doorkeeper_application[redirect_uri]": redirect_uri}
    page = _ask(session, "POST", url, data=fields)
    shown = {mark.get("id"): _text(mark) for mark in _document(page).iterfind(".//*[@id]")}
    if not shown.keys() >= {"application_id", "secret"}:
        raise UnattendedError("The app could not be registered.", why=_said(page), remedy="Register it in the browser.")
    return shown["application_id"], shown["secret"]


def _ask(session: requests.Session, method: str, url: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
    try:
        return session.request(method, url, timeout=TIMEOUT, **arguments)
    except requests.RequestException:
        address = url.partition("?")[0]
    raise UnattendedError(
        f"{method} {address}: the provider did not answer.", remedy="See that it is running, then run the cell again."
    )


def _form(page: requests.Response, answer: str) -> tuple[str, dict[str, str]]:
    """Return address and fields of the form that a person would send with the button `answer`."""
    for form in _document(page).iter("form"):
        fields = {
            name: field.get("value", "")
            for field in form.iter("input", "textarea")
            if (name := field.get("name")) and field.get("type") != "submit"
        }
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
    """Return what an error page says to the person in front of it."""
    document = _document(page)
    return _text(next(found for tag in ("pre", "main", "body", "*") for found in document.iter(tag)))[:300]


def _said(page: requests.Response) -> str:
    return f'The answer was {page.status_code}; the page says: "{page_message(page)}"'


def _document(page: requests.Response) -> "etree._Element":
    """Read a page, whatever it is; one with nothing on it is an empty document."""
    # here, not above: most lessons and scripts never read a page. lxml.html takes three times as long to import.
    from lxml import etree  # noqa: PLC0415

    # bytes: text that names an encoding of its own is refused
    document = etree.HTML(page.text.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8"))
    if document is None:
        return etree.Element("html")
    etree.strip_elements(document, etree.Comment, "script", "style", with_tail=False)
    return document


def _text(element: "etree._Element") -> str:
    """Return what a person reads there."""
    return " ".join(filter(None, (str(part).strip() for part in element.itertext())))
