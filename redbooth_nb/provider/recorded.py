"""Answers recorded from a real Doorkeeper, in the order they were given. No sockets, no threads, no randomness.

A recording is a JSON file: {"about": {...}, "round_trips": [{"request": ..., "response": ..., "at": seconds}, ...]}.
Its tokens are documented fakes. Each recorded answer is given once; a request that was not recorded is an error.
"""

import json
import re
import threading
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from redbooth_nb import changes
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import Provider

# Random in every run, so not compared: the client makes state and PKCE, the page makes the form token.
RANDOM_FIELDS = frozenset({"state", "code_verifier", "code_challenge", "authenticity_token"})
PARTS = frozenset({"request", "response", "at"})
# A real credential is long, and mixes letters and digits. Those in the recordings are marked as fake.
FAKE_STATE = re.compile(r"fake-state-\d+")
FAKE = re.compile(r"fake-[a-z-]+-\d+")
LIVE_LOOKING = re.compile(r"(?<![A-Za-z0-9_-])(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{32,}(?![A-Za-z0-9_-])")


class RecordingError(RedboothError):
    """A recording is missing or unusable, or has no answer to a request."""


class Recorded(Provider, HTTPAdapter):
    """A provider that answers from a recording, as the adapter of a session. `journal` gets a line for every answer."""

    kind = "recorded"
    name = "recorded"
    label = "a recording of a real Doorkeeper server"

    def __init__(self, recording: str, journal: Path) -> None:
        super().__init__()
        self.path = Path(recording)
        self.journal = journal
        self._round_trips = load_recording(self.path)
        self._recorded_at = float(self._round_trips[0]["at"]) if self._round_trips else 0.0
        self._passed = 0.0
        self._lock = threading.Lock()
        self._state = ""

    def deliver(self, session: requests.Session) -> None:
        """Answer `session` from the recording, and refuse all other requests."""
        vars(session)["get_adapter"] = lambda *_, **__: self

    def now(self) -> float:
        return self._recorded_at + self._passed

    def let_time_pass(self, seconds: float) -> bool:
        """Move the recording's clock. The next answer was recorded after that time had passed."""
        self._passed += seconds
        changes.announce()
        return True

    def send(self, request: requests.PreparedRequest, *_: object, **_options: object) -> requests.Response:
        """Return the next recorded answer, which must be the one to `request`. Raises RecordingError."""
        body = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else str(request.body or "")
        asked = request_key(request.method or "", request.url or "", body)
        self._state = dict(parse_qsl(f"{urlsplit(request.url or '').query}&{body}")).get("state", self._state)
        recorded = self._next(asked)  # status, reason, headers and body
        raw = HTTPResponse(BytesIO(recorded.pop("body").encode()), **recorded, preload_content=False)
        response = self.build_response(request, raw)
        response.encoding = "utf-8"
        return response

    def _next(self, asked: dict[str, Any]) -> dict[str, Any]:
        # the client's state differs in every run, so it replaces the recorded one wherever that is
        state = json.dumps(self._state)[1:-1]
        with self._lock:
            # counted on disk, so that a script started by a cell continues where the notebook is
            number = len(self.journal.read_text(encoding="utf-8").splitlines()) if self.journal.exists() else 0
            text = json.dumps(self._round_trips[number] if number < len(self._round_trips) else None)
            following = json.loads(FAKE_STATE.sub(lambda _: state, text))
            if following is None or asked != following["request"]:
                recorded = following and _described(following["request"], asked)
                due = f"The next response is for {recorded}." if recorded else "All its responses have been used."
                raise RecordingError.named("not_recorded", stem=self.path.stem, asked=_described(asked), next=due)
            self._recorded_at = float(following["at"])
            self.journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"recording": self.path.name, "round_trip": number}) + "\n")
        return dict(following["response"])


def request_key(method: str, url: str, body: str) -> dict[str, Any]:
    """Return what identifies a request: method, path, and the fields that are not random."""
    parts = urlsplit(url)
    if not url.startswith(f"{ORIGIN}/"):
        return {"method": method, "path": url, "fields": {}}
    fields = dict(parse_qsl(f"{parts.query}&{body}", keep_blank_values=True))
    kept = {name: value for name, value in fields.items() if name not in RANDOM_FIELDS}
    return {"method": method, "path": parts.path, "fields": dict(sorted(kept.items()))}


def load_recording(path: Path) -> list[dict[str, Any]]:
    """Read a recording. Raises RecordingError if it is missing or unusable, or seems to contain a live secret."""
    problem = "is not a recording"
    try:
        text = path.read_text(encoding="utf-8")
        if live_looking(text):
            raise RecordingError.named("live_recording", path=path)
        round_trips = json.loads(text)["round_trips"]
        if isinstance(round_trips, list) and all(found.keys() >= PARTS for found in round_trips):
            return round_trips
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise RecordingError.named("unfit_recording", path=path, stem=path.stem, problem=problem)


def live_looking(text: str) -> list[str]:
    """Return every part of `text` that looks like a real credential and is not a documented fake."""
    return [found for found in LIVE_LOOKING.findall(text) if not FAKE.fullmatch(found)]


def _described(request: dict[str, Any], asked: dict[str, Any] | None = None) -> str:
    """Describe a request without its values. asked: a request to compare it with, to say which values differ."""
    fields, other = request["fields"], asked["fields"] if asked else {}
    differ = [name for name in fields.keys() & other.keys() if fields[name] != other[name]]
    described = f"{request['method']} {request['path']}" + (f" with {', '.join(fields)}" if fields else "")
    return described + (f"; these values differ: {', '.join(sorted(differ))}" if differ else "")
