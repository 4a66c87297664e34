"""Recorded answers: in order, each once, and a request that was not recorded is an error."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from client.machine import own_machine

from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import API_URL, AUTHORIZE_URL, TOKEN_URL
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.recorded import Recorded, RecordingError, live_looking, load_recording, request_key


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


def exchange(method: str, path: str, body: str = "{}", at: float = 1000.0, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    fields, headers = more.get("fields", {}), more.get("headers", {"Content-Type": "application/json"})
    response = {"status": more.get("status", 200), "reason": "So", "headers": headers, "body": body}
    return {"request": {"method": method, "path": path, "fields": fields}, "response": response, "at": at}


Record = Callable[..., requests.Session]


@pytest.fixture
def record(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Write a recording, make it the current provider, and return a session that reaches it."""

    def record(*exchanges: dict[str, Any]) -> requests.Session:
        path = machine / "recording.json"
        path.write_text(json.dumps({"about": {}, "round_trips": exchanges}))
        monkeypatch.setenv("REDBOOTH_PROVIDER", "recorded")
        monkeypatch.setenv("REDBOOTH_RECORDING", str(path))
        return connect(requests.Session())

    return record


def test_answers_come_in_order_each_once(record: Record, tmp_path: Path) -> None:
    """And the journal tells which were used."""
    session = record(exchange("GET", "/api/3/me", '{"id": 1}'), exchange("GET", "/api/3/me", '{"id": 2}', status=404))
    first, second = session.get(f"{API_URL}/me"), session.get(f"{API_URL}/me")
    assert (first.json(), first.status_code, first.url) == ({"id": 1}, 200, f"{API_URL}/me")
    assert (second.json(), second.status_code) == ({"id": 2}, 404)
    with pytest.raises(RecordingError, match="have been used"):
        session.get(f"{API_URL}/me")
    journal = (tmp_path / "state" / "recorded" / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["round_trip"] for line in journal] == [0, 1]


@pytest.mark.parametrize(
    ("method", "url", "data"),
    [
        ("POST", f"{API_URL}/me", None),
        ("GET", f"{API_URL}/projects", None),
        ("GET", f"{API_URL}/me?page=2", None),
        ("GET", "https://elsewhere.example/api/3/me", None),
        ("GET", "http://redbooth.com/api/3/me", None),
        ("GET", f"{API_URL}/me", {"a": "b"}),
    ],
)
def test_what_was_not_recorded_is_an_error_and_consumes_nothing(
    record: Record, method: str, url: str, data: dict[str, str] | None
) -> None:
    """It names what was asked and what would be next; nothing goes to the network."""
    session = record(exchange("GET", "/api/3/me"))
    with pytest.raises(RecordingError, match="holds no response") as caught:
        session.request(method, url, data=data)
    assert "The next response is for GET /api/3/me" in caught.value.why
    assert session.get(f"{API_URL}/me").ok


def test_a_value_that_differs_is_named_and_so_is_the_command(record: Record) -> None:
    session = record(exchange("GET", "/api/3/tasks", fields={"page": "2"}))
    with pytest.raises(RecordingError) as caught:
        session.get(f"{API_URL}/tasks", params={"page": "3"})
    assert caught.value.why == "The next response is for GET /api/3/tasks with page; these values differ: page."
    assert "uv run python tests/record.py " in caught.value.remedy


def test_random_fields_are_not_compared_and_the_others_are(record: Record) -> None:
    fields = {"client_id": "fake-client-1", "grant_type": "authorization_code"}
    session = record(exchange("POST", "/oauth2/token", fields=fields), exchange("POST", "/oauth2/token", fields=fields))
    assert session.post(TOKEN_URL, data={**fields, "code_verifier": "random", "state": "random"}).ok
    with pytest.raises(RecordingError):
        session.post(TOKEN_URL, data={**fields, "client_id": "another"})


def test_an_error_names_fields_and_not_their_values(record: Record) -> None:
    """R38."""
    session = record()
    with pytest.raises(RecordingError) as caught:
        session.post(TOKEN_URL, data={"client_secret": "a-canary", "code": "a-canary"})
    assert "client_secret" in str(caught.value)
    assert "a-canary" not in str(caught.value)


@pytest.mark.parametrize("where", ["query", "body"])
def test_the_clients_own_state_comes_back(record: Record, where: str) -> None:
    """`state` differs at every run, so it is put into the recorded redirect."""
    location = "http://127.0.0.1:8765/callback?code=fake-code-1&state=fake-state-1"
    method = "GET" if where == "query" else "POST"
    session = record(exchange(method, "/oauth2/authorize", "", status=302, headers={"Location": location}))
    own = {"params" if where == "query" else "data": {"state": "of this run"}}
    answer = session.request(method, AUTHORIZE_URL, allow_redirects=False, **own)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query == {"code": ["fake-code-1"], "state": ["of this run"]}


@pytest.mark.parametrize("state", ["random", 'a"b\\1&ü'])
def test_a_redirect_uri_that_holds_the_state_is_recognized(record: Record, state: str) -> None:
    """In the request that sends state, and in those after it."""
    fields = {"redirect_uri": "http://127.0.0.1:8765/callback?attempt=fake-state-1"}
    session = record(
        exchange("GET", "/oauth2/authorize", fields=fields), exchange("POST", "/oauth2/token", fields=fields)
    )
    sent = {"redirect_uri": f"http://127.0.0.1:8765/callback?attempt={state}"}
    assert session.get(AUTHORIZE_URL, params=sent | {"state": state}).ok
    with pytest.raises(RecordingError):
        session.post(TOKEN_URL, {"redirect_uri": "http://127.0.0.1:8765/callback?attempt=another"})
    assert session.post(TOKEN_URL, sent).ok


def test_the_clock_is_that_of_the_recording(record: Record) -> None:
    session = record(exchange("GET", "/api/3/me", at=1000.0), exchange("GET", "/api/3/me", at=1005.0))
    provider = current_provider()
    assert provider.now() == 1000.0
    session.get(f"{API_URL}/me")
    session.get(f"{API_URL}/me")
    assert provider.now() == 1005.0
    assert provider.let_time_pass(7200)
    assert provider.now() == 8205.0


UNFIT = {
    "missing": (None, r"cannot be read \(No such file"),
    "no JSON": ("{", "is not a recording"),
    "another JSON": ("[]", "is not a recording"),
    "without exchanges": ("{}", "is not a recording"),
    "exchanges of another kind": ('{"round_trips": 5}', "is not a recording"),
    "an exchange of another kind": ('{"round_trips": [{"at": 1}]}', "is not a recording"),
    "a live secret": ('{"round_trips": [], "x": "' + "4f" * 32 + '"}', "looks like a live secret"),
}


@pytest.mark.parametrize(("content", "said"), UNFIT.values(), ids=UNFIT.keys())
def test_an_unfit_recording_is_named_at_once(machine: Path, content: str | None, said: str) -> None:
    """R42: loudly, and with a way on; the secret itself is not shown."""
    path = machine / "recording.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RecordingError, match=said) as caught:
        Recorded(str(path), machine / "journal")
    assert caught.value.remedy
    assert "4f4f4f" not in str(caught.value)


def test_without_a_recording_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "recorded")
    with pytest.raises(RecordingError) as caught:
        current_provider()
    assert "REDBOOTH_RECORDING" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fake-access-token-12", False),
        ("fake-a-very-long-name-of-a-refresh-token-3", False),
        ("application/x-www-form-urlencoded; charset=utf-8", False),
        ("a-long-name-with-hyphens-and-no-digits-at-all", False),
        ("0a" * 32, True),
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", True),
        ("code=" + "Z9" * 20 + "&", True),
        ("fake-access-token-12" + "x9" * 20, True),
    ],
)
def test_what_looks_like_a_live_secret(text: str, found: bool) -> None:  # noqa: FBT001
    """R42: long and mixed; the documented fakes are allowed."""
    assert bool(live_looking(text)) == found


def test_every_recording_of_the_kit_can_be_loaded() -> None:
    """R42: what is in the repository holds no live secret; the recorder writes what the player reads."""
    for path in Path(__file__).parents[1].joinpath("recordings").glob("*.json"):
        for one in load_recording(path):
            asked = one["request"]
            assert request_key(asked["method"], f"https://redbooth.com{asked['path']}", "")["path"] == asked["path"]
