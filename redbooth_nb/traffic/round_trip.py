"""One request to Redbooth and its answer, as they went over the wire, with each secret replaced.

What it holds is safe to paste into a help channel: it never kept the secrets.
"""

import json
import re
import shlex
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from redbooth_nb.errors import printable
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.visitor import document, text_of
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import Pairs, hidden_headers, hidden_json, hide_in_text, pairs, shown_query

# The guide shows these, and the lessons are about them; the others are the transport's own business.
TELLING_HEADERS = ("WWW-Authenticate", "Location", "Retry-After", "Content-Type")
LONGEST_SECRET = 2000  # characters; read that much more than is shown, so that no secret is cut in two
LONGEST_BODY = 4000  # characters shown of a body that is not JSON
LARGEST_BODY = 2**20  # bytes; of a larger body only its size is kept


@dataclass(frozen=True)
class RoundTrip:
    """One request and its response. Values that were secrets are Secret objects."""

    method: str
    address: str
    query: Pairs = ()
    request_headers: Pairs = ()
    fields: Pairs = ()
    status: int = 0  # before it is sent
    reason: str = ""
    response_headers: Pairs = ()
    body: Any = ""

    @classmethod
    def from_response(cls, response: requests.Response, *, stream: bool = False) -> "RoundTrip":
        """Note down a response of requests and the request it answers. stream: as the request was made."""
        request = response.request
        url = urlsplit(request.url or "")
        query, fields = pairs(url.query), request_fields(request)
        for _, value in [*query, *fields]:
            if isinstance(value, Secret):
                value.remember()  # it was sent, so the answer may repeat it
        address = hide_in_text(urlunsplit(url._replace(query="", fragment="")))
        asked = request.method or "", address, query, hidden_headers(request.headers), fields
        reason = responses.get(response.status_code, "")  # servers spell it as they like, and HTTP/2 has none
        body = response_body(response, stream=stream)
        return cls(*asked, response.status_code, reason, hidden_headers(response.headers), body)

    @property
    def url(self) -> str:
        """The address with its query, secrets hidden."""
        return self.address + (f"?{shown_query(self.query)}" if self.query else "")

    def __str__(self) -> str:
        """Return both as text: the request, an arrow, the answer."""
        lines = [f"{self.method} {self.url}"]
        lines += [f"    {name}: {value}" for name, value in self.request_headers if name.lower() == "authorization"]
        lines += [f"    {name} = {value}" for name, value in self.fields]
        lines += [f"--> {self.status} {self.reason}"] if self.status else []
        told = {name.lower(): value for name, value in self.response_headers}
        lines += [f"    {name}: {told[name.lower()]}" for name in TELLING_HEADERS if name.lower() in told]
        if self.body not in ("", None):
            text = self.body if isinstance(self.body, str) else json.dumps(self.body, indent=2, default=repr)
            lines += [f"    {line}" for line in text.splitlines()]
        return "\n".join(lines)

    __repr__ = __str__

    def curl(self, origin: str = ORIGIN) -> str:
        """Return the request as a cURL command; secrets are shell variables such as $REDBOOTH_CLIENT_SECRET.

        origin: whom to ask; pass `settings.provider.link()` for a command that runs on your own sandbox.
        """
        query = "&".join(_shell_pair(name, value) for name, value in self.query)
        address = origin + self.address.removeprefix(ORIGIN) if self.address.startswith(ORIGIN) else self.address
        parts = [f"curl -X {shlex.quote(self.method)} {_quoted(address, f'?{query}' if query else '')}"]
        headers = {name.lower(): str(value) for name, value in self.request_headers}
        if "access token" in headers.get("authorization", ""):
            parts.append('-H "Authorization: Bearer $REDBOOTH_ACCESS_TOKEN"')
        parts += [f"-d {_quoted('', _shell_pair(name, value))}" for name, value in self.fields]
        return " \\\n  ".join(parts)


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
        text = response.content.decode()  # whatever its header says
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"({len(response.content)} bytes that are not text)"
    content = hidden_json(text)
    if content is not None:
        return content
    if "html" in response.headers.get("Content-Type", ""):
        heading = printable(hide_in_text(next(map(text_of, document(text).iter("h1")), "")))
        return f"(a web page{f': {heading}' if heading else ''})" if text else ""
    return printable(hide_in_text(text[: LONGEST_BODY + LONGEST_SECRET]), LONGEST_BODY)


def _shell_pair(name: str, value: "str | Secret") -> str:
    """Return name=value, URL-encoded; a secret as a shell variable, the only place where $ stands."""
    if isinstance(value, Secret):
        return f"{urlencode({name: ''})}${variable(value)}"
    return urlencode({name: value})


def _quoted(fixed: str, pairs: str) -> str:
    """Quote for the shell: nothing in `fixed` is a variable, whoever wrote the address."""
    escaped = re.sub(r'([\\$`"])', r"\\\1", fixed)
    return f'"{escaped}{pairs}"' if "$" in pairs else shlex.quote(fixed + pairs)


def variable(secret: Secret) -> str:
    """Return the name of the variable that stands for a secret in code to copy, such as REDBOOTH_CLIENT_SECRET."""
    return "REDBOOTH_" + secret.kind.upper().replace(" ", "_")
