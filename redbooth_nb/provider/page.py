"""Reading a web page as a person does: its messages, its buttons, and what a form would send."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from lxml.etree import _Element

LONGEST_MESSAGE = 300  # characters


def page_message(page: requests.Response) -> str:
    """Return what an error page tells the person who sees it."""
    found = document(page)
    return text_of(next(each for tag in ("pre", "main", "body", "*") for each in found.iter(tag)))[:LONGEST_MESSAGE]


def said(page: requests.Response | None) -> str:
    """Quote a page in a sentence, "" where there is none."""
    return f'The answer was {page.status_code}; the page says: "{page_message(page)}"' if page is not None else ""


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
    """Return what a person would read there."""
    return " ".join(filter(None, (str(part).strip() for part in element.itertext())))


def buttons(page: "_Element", *names: str) -> "Iterator[tuple[_Element, _Element]]":
    """Return the buttons that have one of these names, each with its form."""
    for form in page.iter("form"):
        for one in form.iter("input", "button"):
            name = one.get("value", "") if one.tag == "input" else text_of(one)
            if name.strip() in names and one.get("type", "submit") == "submit":
                yield form, one


def fields(form: "_Element", pressed: "_Element", values: dict[str, str]) -> list[tuple[str, str]]:
    """Return what a browser sends when the button is pressed. values: what was typed, by the end of a field's name."""
    found = []
    for one in form.iter("input", "textarea", "button"):
        name, kind = one.get("name", ""), one.get("type", "")
        left_out = one is not pressed and (one.tag == "button" or kind == "submit")
        if name and not left_out and (kind != "checkbox" or "checked" in one.attrib):
            own = (one.text or "").removeprefix("\n") if one.tag == "textarea" else one.get("value", "")
            found.append((name, next((value for end, value in values.items() if name.endswith(end)), own)))
    return found
