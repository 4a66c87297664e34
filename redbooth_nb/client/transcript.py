"""Every exchange with Redbooth as it went over the wire, with each secret replaced when it is noted down.

What a transcript holds is safe to paste into a help channel: it never kept the secrets.
"""

import json
import logging
import re
import shlex
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from types import MethodType
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from redbooth_nb.client.redaction import (
    SECRET_FIELDS,
    Pairs,
    hidden_header,
    pairs,
    request_fields,
    response_body,
    shown_query,
)
from redbooth_nb.client.secret import Secret
from redbooth_nb.provider.addresses import ORIGIN

KEPT = 500  # round_trips
VARIABLES = {kind: "REDBOOTH_" + kind.upper().replace(" ", "_") for kind in SECRET_FIELDS.values()}
# the guide shows these, and the lessons are about them; all others are the transport's own business
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
    def from_response(cls, response: requests.Response) -> "RoundTrip":
        """Note down a response of requests and the request it answers."""
        request = response.request
        url = urlsplit(request.url or "")
        return cls(
            method=request.method or "",
            address=urlunsplit(url._replace(query="", fragment="")),
            query=pairs(url.query),
            request_headers=[(name, hidden_header(name, str(value))) for name, value in request.headers.items()],
            fields=request_fields(request),
            status=response.status_code,
            reason=reason(response.status_code),
            response_headers=[(name, hidden_header(name, value)) for name, value in response.headers.items()],
            body=response_body(response),
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
        """Return the exchange as text: the request, an arrow, the answer."""
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
        address = origin + self.address.removeprefix(ORIGIN)
        parts = ["curl", "-X", shlex.quote(self.method), _quoted(address, f"?{query}" if query else "")]
        parts += [
            f'-H "Authorization: Bearer ${VARIABLES["access token"]}"'
            for name, value in self.request_headers
            if name.lower() == "authorization" and "access token" in str(value)
        ]
        parts += [f"-d {_quoted('', _shell_pair(name, value))}" for name, value in self.fields]
        return " ".join(parts[:4]) + "".join(f" \\\n  {part}" for part in parts[4:])


class Transcript:
    """The round_trips of this notebook, newest last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._round_trips: deque[RoundTrip] = deque(maxlen=KEPT)
        self._watchers: list[Callable[[], Callable[[], object] | None]] = []
        self._lock = threading.Lock()

    @classmethod
    def of(cls, round_trips: Iterable[RoundTrip]) -> "Transcript":
        """Return a transcript of these round_trips."""
        made = cls()
        made._round_trips.extend(round_trips)
        return made

    def note(self, response: requests.Response, *_: Any, **__: Any) -> None:  # noqa: ANN401  (the signature is requests')
        """Note down an exchange; a response hook for requests."""
        round_trip = RoundTrip.from_response(response)
        with self._lock:
            self._round_trips.append(round_trip)
            self._watchers = [watcher for watcher in self._watchers if watcher() is not None]
            watchers = list(self._watchers)
        for watcher in watchers:
            _tell(watcher())

    def watch(self, callback: Callable[[], object]) -> None:
        """Call `callback` after every exchange, in the thread that made it, for as long as something else holds it.

        Only a weak reference is kept. What it raises is logged by name and never reaches the request.
        """
        held = weakref.WeakMethod(callback) if isinstance(callback, MethodType) else weakref.ref(callback)
        with self._lock:
            self._watchers.append(held)

    def __iter__(self) -> Iterator[RoundTrip]:
        """Iterate over the round_trips, oldest first."""
        with self._lock:
            return iter(list(self._round_trips))

    def __len__(self) -> int:
        """Return the number of round_trips kept."""
        return len(self._round_trips)

    @property
    def last(self) -> RoundTrip | None:
        """The newest exchange, None before the first."""
        return self._round_trips[-1] if self._round_trips else None

    def __str__(self) -> str:
        """Return all round_trips as text."""
        return "\n\n".join(str(round_trip) for round_trip in self) or "Nothing has been sent to Redbooth yet."

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """All round_trips as Markdown, to paste into an issue or a help channel."""
        blocks = [f"**{number}. {e.method} {e.address}**\n\n```http\n{e}\n```" for number, e in enumerate(self, 1)]
        return "\n\n".join(blocks)

    @property
    def mermaid(self) -> str:
        """All round_trips as a Mermaid sequence diagram."""
        lines = ["sequenceDiagram", "    participant App", "    participant Redbooth"]
        for round_trip in self:
            grant = next((f" {value}" for name, value in round_trip.fields if name == "grant_type"), "")
            lines.append(f"    App->>Redbooth: {round_trip.method} {urlsplit(round_trip.address).path}{grant}")
            lines.append(f"    Redbooth-->>App: {round_trip.status} {round_trip.reason}")
        return "\n".join(lines)


transcript = Transcript()


def _tell(watcher: Callable[[], object] | None) -> None:
    try:
        if watcher is not None:
            watcher()
    except Exception as error:  # noqa: BLE001  (whatever it is, the request that is being noted was a good one)
        # without the traceback: its frames lead to the response, which holds the secrets
        logging.getLogger(__name__).warning("A watcher of the transcript failed: %s", type(error).__name__)


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
