"""One request to Redbooth and its answer, as they went over the wire, with each secret replaced.

What it holds is safe to paste into a help channel: it never kept the secrets.
"""

import json
import re
import shlex
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import (
    SECRET_FIELDS,
    Pairs,
    hidden_headers,
    hide_in_text,
    pairs,
    request_fields,
    response_body,
    shown_query,
)

VARIABLES = {kind: "REDBOOTH_" + kind.upper().replace(" ", "_") for kind in SECRET_FIELDS.values()}
# The guide shows these, and the lessons are about them; the others are the transport's own business.
TELLING_HEADERS = ("WWW-Authenticate", "Location", "Retry-After", "Content-Type")


@dataclass(frozen=True)
class RoundTrip:
    """One request and its response. Values that were secrets are Secret objects."""

    method: str
    address: str
    query: Pairs
    request_headers: Pairs
    fields: Pairs
    status: int
    reason: str
    response_headers: Pairs
    body: Any

    @classmethod
    def from_response(cls, response: requests.Response, *, stream: bool = False) -> "RoundTrip":
        """Note down a response of requests and the request it answers. stream: as the request was made."""
        request = response.request
        url = urlsplit(request.url or "")
        query, fields = pairs(url.query), request_fields(request)
        for _, value in [*query, *fields]:
            if isinstance(value, Secret):
                value.remember()  # it was sent, so the answer may repeat it
        return cls(
            method=request.method or "",
            address=hide_in_text(urlunsplit(url._replace(query="", fragment=""))),
            query=query,
            request_headers=hidden_headers(request.headers),
            fields=fields,
            status=response.status_code,
            reason=reason(response.status_code),
            response_headers=hidden_headers(response.headers),
            body=response_body(response, stream=stream),
        )

    @classmethod
    def request(cls, method: str, address: str, fields: Pairs) -> "RoundTrip":
        """Return a request that was not sent yet."""
        return cls(method, address, [], [], fields, 0, "", [], "")

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
        for wanted in TELLING_HEADERS:
            lines += [
                f"    {wanted}: {value}" for name, value in self.response_headers if name.lower() == wanted.lower()
            ]
        if self.body not in ("", None):
            text = self.body if isinstance(self.body, str) else json.dumps(self.body, indent=2, default=repr)
            lines += [f"    {line}" for line in text.splitlines()]
        return "\n".join(lines)

    __repr__ = __str__

    def curl(self, origin: str = ORIGIN) -> str:
        """Return the request as a cURL command; secrets are shell variables such as $REDBOOTH_CLIENT_SECRET.

        origin: whom to ask; pass `settings.provider.origin` for a command that runs on your own sandbox.
        """
        query = "&".join(_shell_pair(name, value) for name, value in self.query)
        address = origin + self.address.removeprefix(ORIGIN) if self.address.startswith(ORIGIN) else self.address
        parts = ["curl", "-X", shlex.quote(self.method), _quoted(address, f"?{query}" if query else "")]
        parts += [
            f'-H "Authorization: Bearer ${VARIABLES["access token"]}"'
            for name, value in self.request_headers
            if name.lower() == "authorization" and "access token" in str(value)
        ]
        parts += [f"-d {_quoted('', _shell_pair(name, value))}" for name, value in self.fields]
        return " ".join(parts[:4]) + "".join(f" \\\n  {part}" for part in parts[4:])


def reason(status: int) -> str:
    """Return the standard words for a status; servers spell them as they like, and HTTP/2 has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _shell_pair(name: str, value: "str | Secret") -> str:
    """Return name=value, URL-encoded; a secret as a shell variable, the only place where $ stands."""
    encoded = urlencode({name: "" if isinstance(value, Secret) else value})
    return encoded + (f"${VARIABLES.get(value.kind, 'REDBOOTH_SECRET')}" if isinstance(value, Secret) else "")


def _quoted(fixed: str, pairs: str) -> str:
    """Quote for the shell: nothing in `fixed` is a variable, whoever wrote the address."""
    if "$" not in pairs:
        return shlex.quote(fixed + pairs)
    escaped = re.sub(r'([\\$`"])', r"\\\1", fixed)
    return f'"{escaped}{pairs}"'
