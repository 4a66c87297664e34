"""The whole course with nobody at the browser, judged by what the server saw and not by the exit status."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from doorkeeper.engine import Doorkeeper
from notebooks.lessons import NAMES, Lessons, checks_are_done

CLIENT_ID, CLIENT_SECRET = "a7" * 32, "3c" * 32
SHORT = 2  # seconds
STAGES = tuple(name for name in NAMES if name <= "05")  # the course itself; what follows breaks things on purpose
# without the help desk, which meets a sandbox of its own, whoever answers in the notebook
EXTRAS = tuple(name for name in NAMES if name > "06")


def sandbox_rows(lessons: Lessons, query: str) -> list[tuple[Any, ...]]:
    """Ask the sandbox's file."""
    file = lessons.state / "sandbox" / "sandbox.sqlite3"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_the_course_on_the_sandbox(lessons: Lessons) -> None:
    """One app, two codes that were used, and a chain of tokens in which each refresh ended the one before."""
    lessons.solve()
    lessons.execute(*STAGES)
    for name in STAGES:
        checks_are_done(lessons, name)
    assert sandbox_rows(lessons, "SELECT count(*) FROM applications") == [(1,)]
    assert sandbox_rows(lessons, "SELECT revoked_at IS NOT NULL FROM codes") == [(1,), (1,)]
    tokens = sandbox_rows(lessons, "SELECT revoked_at IS NOT NULL, previous_refresh_token FROM tokens ORDER BY id")
    # exchange, with PKCE (given back), by hand, by the session, by refresh()
    assert [ended for ended, _ in tokens] == [1, 1, 1, 1, 0]
    offset = sandbox_rows(lessons, "SELECT value FROM settings WHERE name = 'clock_offset'")
    assert float(offset[0][0]) == 2 * 7200
    assert "Denied: access_denied" in lessons.shown("02-authorize")
    assert "('Ada', 'Marlow')" in lessons.shown("03-exchange")
    assert "The access token expired" in lessons.shown("04-refresh")


@pytest.mark.parametrize("name", NAMES)
def test_each_stands_alone_and_can_be_run_again(lessons: Lessons, name: str) -> None:
    """From an empty state folder, with the solutions; and once more as committed, on what was left there (R44)."""
    again = lessons.twin(name)
    lessons.solve()
    lessons.execute(name, again)
    checks_are_done(lessons, name)
    checks_are_done(lessons, again)
    if name in STAGES:  # in 05 a permission stands the second time, and then nobody is asked
        assert denials(lessons, name) == denials(lessons, again)
    if name in STAGES[1:]:
        assert sandbox_rows(lessons, "SELECT count(*) FROM applications") == [(1,)]


def denials(lessons: Lessons, name: str) -> int:
    """Count how often a notebook shows that the user said no."""
    return lessons.shown(name).count("Denied: access_denied")


@pytest.mark.parametrize("lifetime", [7200, SHORT])
def test_the_course_on_the_real_doorkeeper(
    lessons: Lessons, doorkeeper: Callable[..., Doorkeeper], lifetime: int
) -> None:
    """With tokens of two hours nothing can expire; with short ones the lesson waits, and the engine says so."""
    engine = doorkeeper(token_lifetime=lifetime, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    there = {
        "REDBOOTH_PROVIDER": engine.base_url,
        "REDBOOTH_CLIENT_ID": CLIENT_ID,
        "REDBOOTH_CLIENT_SECRET": CLIENT_SECRET,
    }
    lessons.solve()
    lessons.execute(*STAGES, **there)
    for name in STAGES:
        checks_are_done(lessons, name)
    seen = engine.requests()
    # a thief without the secret, the app, the code again; with PKCE: a thief without the verifier, the app
    assert [request["status"] for request in grants(seen, "authorization_code")] == [401, 200, 400, 400, 200]
    assert sent_back(seen, "error") == ["access_denied"]
    assert len(sent_back(seen, "code")) == 2
    assert 200 in statuses(seen, "GET", "/api/3/me")
    refreshes = [(request["status"], sent(request, "refresh_token")) for request in grants(seen, "refresh_token")]
    used = [value for status, value in refreshes if status == 200]
    refused = [value for status, value in refreshes if status == 400]
    assert len(used) == len(set(used)) >= 2
    assert refused[0] == used[0]  # the replay of the one that was used by hand
    assert any(expired(request) for request in seen) == (lifetime == SHORT)
    if lifetime != SHORT and EXTRAS:
        lessons.execute(*EXTRAS, **there)
        for name in EXTRAS:
            checks_are_done(lessons, name)


def statuses(seen: list[dict[str, Any]], method: str, path: str) -> list[int]:
    return [request["status"] for request in seen if (request["method"], request["path"]) == (method, path)]


def sent(request: dict[str, Any], field: str) -> str:
    return parse_qs(request["request_body"]).get(field, [""])[0]


def grants(seen: list[dict[str, Any]], grant_type: str) -> list[dict[str, Any]]:
    """Return the token requests of a kind."""
    asked = [request for request in seen if request["path"] == "/oauth2/token"]
    return [request for request in asked if sent(request, "grant_type") == grant_type]


def sent_back(seen: list[dict[str, Any]], field: str) -> list[str]:
    """Return what the redirects to the app carried in a field."""
    locations = [location(request) for request in seen if request["status"] == 302]
    ours = [parse_qs(urlsplit(place).query) for place in locations if place.startswith("http://127.0.0.1:8765/")]
    return [query[field][0] for query in ours if field in query]


def location(request: dict[str, Any]) -> str:
    return next((str(v) for name, v in request["response_headers"].items() if name.lower() == "location"), "")


def expired(request: dict[str, Any]) -> bool:
    """Whether the engine said that the access token expired."""
    said = str(request["response_headers"]).lower()
    return request["status"] == 401 and "the access token expired" in said
