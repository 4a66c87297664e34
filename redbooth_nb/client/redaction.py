"""The one rule of redaction: what a field of a secret's name holds is a secret, wherever it stands."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests

from redbooth_nb.client.secret import Secret

# RFC 6749, RFC 7636, and the CSRF token of Rails
SECRET_FIELDS = {
    "client_secret": "client secret",
    "code": "authorization code",
    "code_verifier": "code verifier",
    "access_token": "access token",
    "bearer_token": "access token",
    "refresh_token": "refresh token",
    "token": "token",
    "secret": "client secret",
    "password": "password",
    "authenticity_token": "form token",
    "doorkeeper_application[secret]": "client secret",
}
LONGEST_BODY = 4000  # characters shown of a body that is not JSON
Pairs = list[tuple[str, "str | Secret"]]
# a name in quotes or not, a colon or an equals sign, and the value up to where it must end
SECRET_IN_TEXT = re.compile(
    rf"""(\b({"|".join(map(re.escape, SECRET_FIELDS))})["'\\]*\s*[:=]\s*["'\\]*)([^\s"'\\&,}};]+)"""
)


def hide_secrets(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a JSON value with every secret field's value replaced by a Secret."""
    if isinstance(value, dict):
        return {name: _hidden(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [hide_secrets(item) for item in value]
    return value


def _hidden(name: str, value: Any) -> Any:  # noqa: ANN401
    if name in SECRET_FIELDS and isinstance(value, str) and value:
        return Secret(SECRET_FIELDS[name], value)
    return hide_secrets(value)


def pairs(query: str) -> Pairs:
    """Return the pairs of a query or form body, secrets hidden."""
    return [(name, _hidden(name, value)) for name, value in parse_qsl(query, keep_blank_values=True)]


def hidden_header(name: str, value: str) -> str:
    """Return a header's value with the secrets in it hidden."""
    if name.lower() in {"authorization", "proxy-authorization"}:
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() not in {"bearer", "basic", "digest"}:  # the word Bearer forgotten: all of it is the token
            return repr(Secret("credentials", value))
        return f"{scheme} {Secret('access token' if scheme.lower() == 'bearer' else 'credentials', credentials)}"
    if name.lower() in {"cookie", "set-cookie"}:
        return repr(Secret("cookie", value))
    if name.lower() in {"location", "referer"}:
        return hide_in_url(value)
    return value


def hide_in_url(url: str) -> str:
    """Return a URL with the secrets of its query and fragment hidden."""
    address, query, fragment = re.fullmatch(r"([^?#]*)(?:\?([^#]*))?(?:#(.*))?", url, re.DOTALL).groups("")  # type: ignore[union-attr]  # every string matches
    shown = address + (f"?{shown_query(pairs(query))}" if query else "")
    return shown + (f"#{shown_query(pairs(fragment))}" if fragment else "")


def shown_query(shown: Pairs) -> str:
    """Return pairs as a query to look at."""
    return "&".join(
        f"{name}={value}" if isinstance(value, Secret) else urlencode({name: value}) for name, value in shown
    )


def request_fields(request: requests.PreparedRequest) -> Pairs:
    """Return the fields of a request's body, form or JSON, secrets hidden; of another body only its length."""
    body = request.body
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    kind = (request.headers.get("Content-Type") or "").partition(";")[0]
    if kind == "application/x-www-form-urlencoded":
        return pairs(text)
    if kind == "application/json":
        try:
            content = hide_secrets(json.loads(text))
        except ValueError:
            content = None
        if isinstance(content, dict):
            return [(n, v if isinstance(v, Secret | str) else json.dumps(v, default=repr)) for n, v in content.items()]
    return [("body", f"({len(text)} characters)")] if text else []


def response_body(response: requests.Response) -> Any:  # noqa: ANN401
    """Return the JSON of an answer with secrets hidden, the heading of a page, or the beginning of a text."""
    try:
        return hide_secrets(response.json())
    except (ValueError, RecursionError):
        pass
    if "html" in response.headers.get("Content-Type", ""):
        found = re.search(r"(?is)<h1[^>]*>(.*?)</h1>", response.text)
        heading = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])).strip() if found else ""
        return f"(a web page{f': {heading}' if heading else ''})" if response.text else ""
    return hide_in_text(response.text)[:LONGEST_BODY]


def hide_in_text(text: str) -> str:
    """Return text that is not JSON, such as half an answer, with what stands behind a secret's name hidden."""
    return SECRET_IN_TEXT.sub(lambda found: f"{found[1]}{Secret(SECRET_FIELDS[found[2]], found[3])}", text)
