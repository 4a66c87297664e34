"""The rules of redaction: known secrets are hidden wherever they are; then what a field's name marks as secret.

By value first, because an answer may repeat a secret anywhere: in an error's text, a heading, a header.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

import requests

from redbooth_nb.errors import printable
from redbooth_nb.provider.visitor import document, text_of
from redbooth_nb.secret import Secret, hider

# what each field holds: those of RFC 6749 and RFC 7636, and the CSRF token of Rails
SECRET_FIELDS: dict[str, str] = json.loads(Path(__file__).with_name("secret_fields.json").read_text(encoding="utf-8"))
_KINDS = {re.sub(r"[^a-z]", "", field): kind for field, kind in SECRET_FIELDS.items()}
LONGEST_BODY = 4000  # characters shown of a body that is not JSON
LARGEST_BODY = 2**20  # bytes; of a larger body only its size is kept
LARGEST_CODE = 99_999  # a number in a field named code may be an error's; a larger one in a secret's field is a secret
Pairs = Sequence[tuple[str, str | Secret]]
_QUOTES = r"""(?:["'\\\[]|&quot;|&\#34;|&\#39;)*"""
_MORE = r"""(?:\s+[\w-]{1,20}=["'][^"'<>]{0,200}["']){0,9}"""  # other attributes of an element
_IS = rf"{_QUOTES}(?:\s*(?:=>|[:=]|%3[dD])|{_MORE}\s+value=)\s*{_QUOTES}"  # JSON, forms, Ruby's hashes, URLs, HTML
_VALUE = r"""((?:[^\s"'\\&,}};<>\]]|\\{1,4}[^\s"'\\])+)"""  # with escapes, such as \/
_NAME = r"\w{0,40}?(?:token|secret|password|verifier)"
_ESCAPE = r"\\+(?:u([0-9a-fA-F]{4}))?"
_IN_TEXT = (  # what leads to a value, with the name of its field in it, and the value
    rf"(?i)((?<![a-z])(authorization){_IS}(?:[a-z]+\s+)?){_VALUE}",
    rf"(?i)((?<!\w)(code|{_NAME}s?){_IS}){_VALUE}",
    rf"(?i)(<({_NAME}){_MORE}\s*>)([^<\s]+)",
)


def hide_in_text(text: str, hide: Callable[[str], str] | None = None) -> str:
    """Hide known secrets in a text, and whatever follows the name of a secret field; JSON in it is read as JSON.

    A known secret is also found URL-encoded, escaped for HTML, or in base64. hide: hides the secrets of a larger text.
    """
    if text.lstrip("\ufeff \t\r\n")[:1] in {"{", "[", '"'} and (content := hidden_json(text, hide)) is not None:
        return json.dumps(content, ensure_ascii=False, default=repr)
    text = re.sub(r"(?<=://)[^/@\s\"'<>]+(?=@)", "...", (hide or hider(text))(text))
    for pattern in _IN_TEXT:
        text = re.sub(pattern, lambda it: f"{it[1]}{Secret(_kind(it[2]) or 'secret', it[3], known=False)}", text)
    return text


def _kind(name: str) -> str | None:
    """Return what a field or header of this name holds (`accessToken` is `access_token`), None when it isn't one."""
    plain = re.sub(r"[^a-z]", "", name.lower()).removesuffix("s")
    return _KINDS.get(plain) or ("secret" if plain.endswith(("token", "secret", "password", "verifier")) else None)


def _hidden(name: str, value: Any, hide: Callable[[str], str], kind: str | None = None) -> Any:
    kind = kind or _kind(name)
    if isinstance(value, dict):
        named = {"value": _kind(str(value.get("name", "")))}  # {"name": "access_token", "value": ...}
        return {hide(str(k)): _hidden(str(k), item, hide, kind or named.get(str(k))) for k, item in value.items()}
    if isinstance(value, list):
        return [_hidden("", item, hide, kind) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if kind and abs(value) > LARGEST_CODE:
            return Secret(kind, str(value), known=False)
        return value if (shown := hide(str(value))) == str(value) else shown
    if not isinstance(value, str) or not value:
        return value
    return Secret(kind, value, known=False) if kind else hide_in_text(value, hide)


def pairs(query: str) -> Pairs:
    """Return the pairs of a query or form body, secrets hidden."""
    hide = hider(f"{query}\n{_unescaped(unquote_plus(query))}")
    return [(hide(name), _hidden(name, value, hide)) for name, value in parse_qsl(query, keep_blank_values=True)]


def hidden_headers(headers: Any) -> Pairs:
    return [(hide_in_text(name), printable(hidden_header(name, str(value)))) for name, value in headers.items()]


def hidden_header(name: str, value: str) -> str:
    if name.lower() in {"authorization", "proxy-authorization"}:
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() not in {"bearer", "basic", "digest"}:  # the word Bearer forgotten: all of it is the token
            return repr(Secret("credentials", value))
        return f"{scheme} {Secret('access token' if scheme.lower() == 'bearer' else 'credentials', credentials)}"
    if kind := "cookie" if name.lower() in {"cookie", "set-cookie"} else _kind(name):
        return repr(Secret(kind, value, known=False))
    return hide_in_url(value) if name.lower() in {"location", "referer"} else hide_in_text(value)


def hide_in_url(url: str) -> str:
    """Return a URL with the secrets of its query and fragment hidden."""
    before, _, fragment = url.partition("#")
    address, _, query = before.partition("?")
    shown = hide_in_text(address) + (f"?{shown_query(pairs(query))}" if query else "")
    return shown + (f"#{shown_query(pairs(fragment))}" if fragment else "")


def shown_query(shown: Pairs, secret: Callable[[Secret], str] = repr) -> str:
    """Return pairs as a query to look at, URL-encoded. secret: how to show one."""
    return "&".join(urlencode({n: ""}) + secret(v) if isinstance(v, Secret) else urlencode({n: v}) for n, v in shown)


def hidden_json(text: str, hide: Callable[[str], str] | None = None) -> Any:
    """Return the content of a JSON text, with a Secret as each secret field's value; None if it isn't JSON.

    hide: hides the secrets of a larger text. Looking for all known secrets in each part of it would take too long.
    """
    try:
        value = json.loads(text.removeprefix("\ufeff"))
        return _hidden("", value, hide or hider(_unescaped(json.dumps(value, ensure_ascii=False))))
    except (ValueError, RecursionError):
        return None


def _unescaped(text: str) -> str:
    """Return a text, then the same text without JSON's escapes, since a string in it may itself be JSON."""
    return f"{text}\n{re.sub(_ESCAPE, lambda it: chr(int(it[1], 16)) if it[1] else '', text)}"


def request_fields(request: requests.PreparedRequest) -> Pairs:
    """Return the fields of a request's body, form or JSON, secrets hidden; of another body only its length."""
    body = request.body
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    kind = (request.headers.get("Content-Type") or "").partition(";")[0]
    if kind == "application/x-www-form-urlencoded":
        return pairs(text)
    content = hidden_json(text) if kind == "application/json" else None
    if isinstance(content, dict):
        return [(n, v if isinstance(v, Secret | str) else json.dumps(v, default=repr)) for n, v in content.items()]
    return [("body", f"({len(text)} characters)")] if text else []


def response_body(response: requests.Response, *, stream: bool = False) -> Any:
    """Return the JSON of an answer with secrets hidden, the heading of a page, or the beginning of a text.

    stream: whether the caller reads the body; it is then left to the caller.
    """
    if stream and not vars(response)["_content_consumed"]:
        return "(a stream, not read here)"
    if len(response.content) > LARGEST_BODY:
        return f"({len(response.content)} bytes)"
    try:
        text = response.content.decode("utf-8-sig")  # whatever its header says
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"({len(response.content)} bytes that are not text)"
    if (content := hidden_json(text)) is not None:
        return content
    if "html" in response.headers.get("Content-Type", ""):
        heading = printable(hide_in_text(next(map(text_of, document(text).iter("h1")), "")))
        return f"(a web page{f': {heading}' if heading else ''})" if text else ""
    if len(text) > LONGEST_BODY:  # cut where no secret can be, so that none is cut in two
        text = text[: max(text.rfind(space, 0, LONGEST_BODY) for space in " \n") + 1] + "..."
    return printable(hide_in_text(text), len(text))
