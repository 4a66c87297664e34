"""Answers recorded from a real Doorkeeper, in the order they were given. No socket, no thread, no chance.

A recording is a JSON file: {"about": {...}, "round_trips": [{"request": ..., "response": ..., "at": seconds}, ...]}.
Its tokens are documented fakes. Each exchange answers once; a request that was not recorded is an error.
"""

import json
import re
import threading
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.provider import Kind, Provider

# Random at every run, so not compared: state and PKCE are made by the client, the form token by the page.
RANDOM_FIELDS = frozenset({"state", "code_verifier", "code_challenge", "authenticity_token"})
PARTS = frozenset({"request", "response", "at"})
# What a real credential looks like: long, and of mixed letters and digits. The recordings' own are marked.
FAKE_STATE = re.compile(r"fake-state-\d+")
FAKE = re.compile(r"fake-[a-z-]+-\d+")
LIVE_LOOKING = re.compile(r"(?<![A-Za-z0-9_-])(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{32,}(?![A-Za-z0-9_-])")


class RecordingError(RedboothError):
    """A recording is missing or unfit, or holds no answer to a request."""


class Recorded(Provider):
    """A provider that answers from a recording. `journal` gets a line for every answer given."""

    kind = Kind.RECORDED
    name = "recorded"

    def __init__(self, recording: str, journal: Path) -> None:
        self.path = Path(recording)
        self.label = "a recording of a real Doorkeeper"
        self.journal = journal
        self._exchanges = load_recording(self.path)
        self._at = float(self._exchanges[0]["at"]) if self._exchanges else 0.0
        self._passed = 0.0
        self._lock = threading.Lock()
        self.state = ""

    def deliver(self, session: requests.Session) -> None:
        """Answer `session` from the recording, and refuse every other address."""
        adapter = _Replay(self)
        session.mount("https://", adapter)
        session.mount("http://", adapter)

    def now(self) -> float:
        """Return the clock of the recording, in Unix seconds."""
        return self._at + self._passed

    def let_time_pass(self, seconds: float) -> bool:
        """Move the recording's clock. What follows was recorded after that time had passed."""
        self._passed += seconds
        return True

    def answer(self, request: requests.PreparedRequest) -> dict[str, Any]:
        """Return the next recorded answer, which must be the one to `request`. Raises RecordingError."""
        asked = request_key(request.method or "", request.url or "", _text(request.body))
        sent = parse_qs(urlsplit(request.url or "").query) | parse_qs(_text(request.body))
        self.state = sent.get("state", [self.state])[0]
        with self._lock:
            number = self._used()
            expected = self._exchanges[number]["request"] if number < len(self._exchanges) else None
            # a redirect URI may hold state as well
            expected = json.loads(FAKE_STATE.sub(lambda _: json.dumps(self.state)[1:-1], json.dumps(expected)))
            if expected is None or asked != expected:
                raise RecordingError(
                    f"{self.path.name} holds no answer to {_described(asked)}.",
                    why=f"Next in it is {_described(expected)}." if expected else "It has been used up.",
                    remedy="Run the cells once and in order. If the notebook was changed, record it anew.",
                )
            exchange = self._exchanges[number]
            self._at = float(exchange["at"])
            self.journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"recording": self.path.name, "round_trip": number}) + "\n")
        response: dict[str, Any] = exchange["response"]
        return response

    def _used(self) -> int:
        # counted on disk, so that a script which a cell starts goes on where the notebook is
        return len(self.journal.read_text(encoding="utf-8").splitlines()) if self.journal.exists() else 0


class _Replay(BaseAdapter):
    def __init__(self, recorded: Recorded) -> None:
        super().__init__()
        self.recorded = recorded

    def send(  # noqa: PLR0913, PLR0917  (the signature is requests')
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: Any = None,  # noqa: ANN401, ARG002
        verify: bool | str = True,  # noqa: ARG002, FBT001, FBT002
        cert: Any = None,  # noqa: ANN401, ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Build the response that was recorded."""
        recorded = self.recorded.answer(request)
        # the client's own state differs at every run, so it takes the place of the recorded one
        content = FAKE_STATE.sub(lambda _: self.recorded.state, recorded["body"]).encode()
        headers = {n: FAKE_STATE.sub(lambda _: self.recorded.state, value) for n, value in recorded["headers"].items()}
        raw = HTTPResponse(
            BytesIO(content), headers, recorded["status"], reason=recorded["reason"], preload_content=False
        )
        response = requests.Response()
        response.status_code, response.reason, response.raw = recorded["status"], recorded["reason"], raw
        response.headers.update(headers)
        response.url, response.request, response.encoding = request.url or "", request, "utf-8"
        return response

    def close(self) -> None:
        """Nothing to close."""


def request_key(method: str, url: str, body: str) -> dict[str, Any]:
    """Return what a request is recognized by: method, path, and the fields that are not random."""
    parts = urlsplit(url)
    if not url.startswith(f"{ORIGIN}/"):
        return {"method": method, "path": url, "fields": {}}
    fields = dict(parse_qsl(parts.query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))
    kept = {name: value for name, value in fields.items() if name not in RANDOM_FIELDS}
    return {"method": method, "path": parts.path, "fields": dict(sorted(kept.items()))}


def load_recording(path: Path) -> list[dict[str, Any]]:
    """Read a recording. Raises RecordingError when it is missing, unfit, or holds what looks like a live secret."""
    remedy = "Set REDBOOTH_RECORDING to a file of tests/recordings, or use REDBOOTH_PROVIDER=sandbox."
    problem = ""
    exchanges: list[dict[str, Any]] = []
    try:
        text = path.read_text(encoding="utf-8")
        exchanges = json.loads(text)["round_trips"]
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError):
        problem = "is not a recording"
    else:
        if not isinstance(exchanges, list) or not all(
            isinstance(one, dict) and one.keys() >= PARTS for one in exchanges
        ):
            problem = "is not a recording"
        elif live_looking(text):
            problem, remedy = (
                "holds what looks like a live secret",
                "Record it anew with the recorder, which replaces them.",
            )
    if problem:
        raise RecordingError(f"The recording {path} {problem}.", remedy=remedy)
    return exchanges


def live_looking(text: str) -> list[str]:
    """Return every part of `text` that looks like a real credential and is not one of the documented fakes."""
    return [found for found in LIVE_LOOKING.findall(text) if not FAKE.fullmatch(found)]


def _text(body: Any) -> str:  # noqa: ANN401
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")


def _described(request: dict[str, Any]) -> str:
    fields = ", ".join(name for name in request["fields"])
    return f"{request['method']} {request['path']}" + (f" with {fields}" if fields else "")
