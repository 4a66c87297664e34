"""Every request that this notebook sent to Redbooth, and its answer, as they went over the wire, secrets replaced.

What is kept here is safe to paste into a help channel: it never held the secrets.
"""

import json
import logging
import re
import shlex
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from redbooth_nb import changes
from redbooth_nb.provider.addresses import ORIGIN, TOKEN_URL
from redbooth_nb.secret import Secret
from redbooth_nb.traffic import redaction
from redbooth_nb.traffic.redaction import Pairs, shown_query

KEPT = 500  # round trips
TOKENS = ("access_token", "refresh_token")  # the fields of an answer that are surely secrets
# The guide shows these, and the lessons are about them; the others are the transport's own business.
TELLING_HEADERS = ("WWW-Authenticate", "Location", "Retry-After", "Content-Type")


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
        """Record a response from the requests library and the request it answers. stream: as the request was made."""
        request = response.request
        url = urlsplit(request.url or "")
        query, fields = redaction.pairs(url.query), redaction.request_fields(request)
        for _, value in [*query, *fields]:
            if isinstance(value, Secret):
                value.remember()  # it was sent, so the answer may repeat it
        address = redaction.hide_in_text(urlunsplit(url._replace(query="", fragment="")))
        asked = request.method or "", address, query, redaction.hidden_headers(request.headers), fields
        reason = responses.get(response.status_code, "")  # servers spell it as they like, and HTTP/2 has none
        body = redaction.response_body(response, stream=stream)
        if address == TOKEN_URL and response.ok and isinstance(body, dict):
            for token in map(body.get, TOKENS):
                if isinstance(token, Secret):
                    token.remember()  # whatever is printed from now on may repeat it
            body = redaction.response_body(response, stream=stream)  # and so may the rest of this answer
        return cls(*asked, response.status_code, reason, redaction.hidden_headers(response.headers), body)

    @property
    def url(self) -> str:
        return self.address + (f"?{shown_query(self.query)}" if self.query else "")

    @property
    def label(self) -> str:
        """Method, path and grant, such as "POST /oauth2/token refresh_token"."""
        grant = next((f" {value}" for name, value in self.fields if name == "grant_type"), "")
        return f"{self.method} {urlsplit(self.address).path}{grant}"

    def __str__(self) -> str:
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

        origin: whom to ask; pass `settings.provider.link()` for a command that runs against your own sandbox.
        """
        query = _for_shell(self.query)
        address = origin + self.address.removeprefix(ORIGIN) if self.address.startswith(ORIGIN) else self.address
        parts = [f"curl -X {shlex.quote(self.method)} {_quoted(address, f'?{query}' if query else '')}"]
        headers = {name.lower(): str(value) for name, value in self.request_headers}
        if "access token" in headers.get("authorization", ""):
            parts.append('-H "Authorization: Bearer $REDBOOTH_ACCESS_TOKEN"')
        parts += [f"-d {_quoted('', _for_shell([pair]))}" for pair in self.fields]
        return " \\\n  ".join(parts)


class Transcript:
    """The round trips of this notebook, newest last. Safe to use from several threads."""

    def __init__(self, round_trips: Iterable[RoundTrip] = ()) -> None:
        self._round_trips = deque(round_trips, maxlen=KEPT)

    def note(self, response: requests.Response, *_: Any, stream: bool = False, **__: Any) -> None:
        """Note down a request and its answer; a response hook for requests.

        An answer too strange to be noted is left out: the request that it answers must not fail because of this.
        """
        try:
            round_trip = RoundTrip.from_response(response, stream=stream)
        except requests.RequestException:
            raise  # the body was cut off while it was being read: the caller will find out
        except Exception as error:
            # by name only: the text and the frames lead to the answer, which holds the secrets
            logging.getLogger(__name__).warning("An answer could not be noted: %s", type(error).__name__)
            return
        self._round_trips.append(round_trip)
        changes.announce()

    def __iter__(self) -> Iterator[RoundTrip]:
        return iter(self._round_trips.copy())  # in one step, whatever other threads add meanwhile

    def __len__(self) -> int:
        return len(self._round_trips)

    @property
    def last(self) -> RoundTrip | None:
        """The newest round trip, None before the first."""
        return self._round_trips[-1] if self._round_trips else None

    def __str__(self) -> str:
        return "\n\n".join(str(round_trip) for round_trip in self) or "Nothing has been sent to Redbooth yet."

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """All round trips as Markdown, to paste into an issue or a help channel.

        A fence is longer than any run of backticks in what it holds, so nothing in an answer can leave its block.
        """
        blocks = []
        for number, text in enumerate(map(str, self), 1):
            fence = "`" * max([3, *(len(row) + 1 for row in re.findall("`+", text))])
            title = re.sub(r"[^\w :/.?=&-]", "_", text.partition("\n")[0].partition("?")[0])
            blocks.append(f"**{number}. {title}**\n\n{fence}http\n{text}\n{fence}")
        return "\n\n".join(blocks)

    @property
    def mermaid(self) -> str:
        """All round trips as a Mermaid sequence diagram."""
        lines = ["sequenceDiagram", "    participant App", "    participant Redbooth"]
        for round_trip in self:
            label = re.sub(r"[^ /.:a-zA-Z0-9_-]", "_", round_trip.label)  # nothing that Mermaid reads
            lines += [f"    App->>Redbooth: {label}", f"    Redbooth-->>App: {round_trip.status} {round_trip.reason}"]
        return "\n".join(lines)


def _for_shell(shown: Pairs) -> str:
    """Return pairs as a query; each secret as a shell variable, the only place where $ appears."""
    return shown_query(shown, lambda secret: f"${variable(secret)}")


def _quoted(fixed: str, pairs: str) -> str:
    """Quote for the shell: nothing in `fixed` is a variable, whoever wrote the address."""
    escaped = re.sub(r'([\\$`"])', r"\\\1", fixed)
    return f'"{escaped}{pairs}"' if "$" in pairs else shlex.quote(fixed + pairs)


def variable(secret: Secret) -> str:
    """Return the name of the variable that stands for a secret in code to copy, such as REDBOOTH_CLIENT_SECRET."""
    return "REDBOOTH_" + secret.kind.upper().replace(" ", "_")


transcript = Transcript()
