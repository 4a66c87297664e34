"""Reading a web page as a person does: its messages, its buttons, and what a form would send."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from lxml.html import FormElement, HtmlElement

LONGEST_MESSAGE = 300  # characters


def page_message(page: requests.Response) -> str:
    """Return what an error page tells the person who sees it."""
    found = document(page)
    return text_of(next(each for tag in ("pre", "main", "body", "*") for each in found.iter(tag)))[:LONGEST_MESSAGE]


def said(page: requests.Response | None) -> str:
    """Quote a page in a sentence, "" where there is none."""
    return f'The answer was {page.status_code}; the page says: "{page_message(page)}"' if page is not None else ""


def document(page: requests.Response | None) -> "HtmlElement":
    """Parse a page, whatever it is; an empty page is an empty document."""
    from lxml import etree, html

    # bytes: lxml refuses text that names its own encoding
    text = page.text if page is not None else ""
    parsed = etree.HTML(text.encode("utf-8", "replace"), html.HTMLParser(encoding="utf-8"))
    if parsed is None:
        return html.Element("html")
    etree.strip_elements(parsed, etree.Comment, "script", "style", with_tail=False)
    return parsed


def text_of(element: "HtmlElement") -> str:
    """Return what a person would read there."""
    return " ".join(filter(None, (str(part).strip() for part in element.itertext())))


def buttons(page: "HtmlElement", *names: str) -> "Iterator[tuple[FormElement, HtmlElement]]":
    """Return the buttons that have one of these names, each with its form."""
    for form in page.iter("form"):
        for one in form.iter("input", "button"):
            name = one.get("value", "") if one.tag == "input" else text_of(one)
            if name.strip() in names and one.get("type", "submit") == "submit":
                yield form, one


def fields(form: "FormElement", pressed: "HtmlElement", values: dict[str, str]) -> list[tuple[str, str]]:
    """Return what a browser sends when the button is pressed. values: what was typed, by the end of a field's name."""
    for one in form.iter("input"):
        if one.get("type", "text") in {"text", "hidden", "password"}:
            one.set("value", one.get("value", ""))  # older versions of lxml leave out what has none
    found = [*form.form_values(), (pressed.get("name", ""), pressed.get("value", ""))]
    typed = {name: value for name, _ in found for end, value in values.items() if name.endswith(end)}
    return [(name, typed.get(name, own)) for name, own in found if name]
