"""What the sandbox promises beyond the engine's answers: atomicity, the switches, and its own additions."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from provider.sandbox.visitor import CALLBACK, Visitor


def at_once(number: int, call: Callable[[], requests.Response]) -> list[requests.Response]:
    gate = threading.Barrier(number)

    def go(_: int) -> requests.Response:
        gate.wait()
        return call()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(go, range(number)))


def test_fifty_exchanges_of_one_code_yield_one_token(visitor: Visitor) -> None:
    code = visitor.code()
    answers = at_once(50, lambda: visitor.exchange(code))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    assert {answer.json()["error"] for answer in answers if not answer.ok} == {"invalid_grant"}


def test_twenty_refreshes_of_one_token_yield_one_pair(visitor: Visitor) -> None:
    token = visitor.exchange(visitor.code()).json()["refresh_token"]
    answers = at_once(20, lambda: visitor.refresh(token))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19


def test_on_first_use_every_refresh_succeeds_until_then(visitor: Visitor) -> None:
    visitor.sandbox.switch(refresh_revokes_old="on first use")
    token = visitor.exchange(visitor.code()).json()["refresh_token"]
    assert {answer.status_code for answer in at_once(5, lambda: visitor.refresh(token))} == {200}


def test_answers_of_2015(visitor: Visitor) -> None:
    visitor.sandbox.switch(style="2015")
    token = visitor.exchange(visitor.code()).json()
    assert list(token) == ["access_token", "token_type", "expires_in", "refresh_token", "scope"]
    assert len(token["access_token"]) == 64
    visitor.refresh(token["refresh_token"])
    dead = visitor.refresh(token["refresh_token"])
    assert (dead.status_code, dead.json()["error"]) == (401, "invalid_request")
    assert 'error="invalid_request"' in dead.headers["WWW-Authenticate"]
    bad = visitor.exchange("nonsense")
    assert (bad.status_code, bad.json()["error"]) == (401, "invalid_grant")


def test_dropped_state_comes_back_nowhere(visitor: Visitor) -> None:
    visitor.sandbox.switch(state="dropped")
    page = visitor.consent()
    assert visitor.press(page, "Deny").headers["Location"].startswith(CALLBACK + "?error=access_denied&")
    for answer in (visitor.press(page, "Deny"), visitor.press(page)):
        assert "state" not in answer.headers["Location"]


def test_lifetimes_count_from_issue(visitor: Visitor) -> None:
    visitor.sandbox.switch(token_lifetime=5, code_lifetime=50)
    code, late = visitor.code(), visitor.code()
    token = visitor.exchange(code).json()
    assert token["expires_in"] == 5
    visitor.sandbox.switch(token_lifetime=100)
    visitor.sandbox.advance(60)
    assert visitor.exchange(late).json()["error"] == "invalid_grant"
    assert (
        'error_description="The access token expired"' in visitor.me(token["access_token"]).headers["WWW-Authenticate"]
    )
    assert visitor.refresh(token["refresh_token"]).json()["expires_in"] == 5  # a pair keeps its lifetime


def test_rate_limit(visitor: Visitor) -> None:
    visitor.sandbox.switch(rate_limited=True)
    answer = visitor.me("whatever")
    assert (answer.status_code, answer.text) == (429, "Retry later\n")
    assert answer.headers["Content-Type"] == "text/plain"
    assert visitor.exchange(visitor.code()).status_code == 200  # only the API is limited


def test_out_of_band_code_is_shown(visitor: Visitor) -> None:
    oob = "urn:ietf:wg:oauth:2.0:oob"
    visitor.app = visitor.sandbox.seed_application("Terminal", oob)
    shown = visitor.press(visitor.consent(redirect_uri=oob))
    page = visitor.browser.get(urljoin(shown.url, shown.headers["Location"]), timeout=20)
    assert 'id="authorization_code"' in page.text
    denied = visitor.press(visitor.consent(redirect_uri=oob, response_type="token"), "Deny")
    assert (denied.status_code, denied.json()["error"]) == (400, "access_denied")


def test_links_name_the_address_the_caller_knows(visitor: Visitor) -> None:
    token = visitor.exchange(visitor.code()).json()["access_token"]
    known = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "redbooth.com"}
    answer = visitor.get(f"/api/3/tasks?per_page=20&access_token={token}", headers=known)
    assert answer.headers["PaginationLinks"] == (
        '<https://redbooth.com/api/3/tasks?page=2&per_page=20>; rel="next", '
        '<https://redbooth.com/api/3/tasks?page=3&per_page=20>; rel="last"'
    )


@pytest.mark.parametrize("text", ["' OR '1'='1", "x'; DROP TABLE tokens; --", "%", "\x00", "\ud800", "ü" * 200, ""])
def test_no_text_is_more_than_text(visitor: Visitor, text: str) -> None:
    url = visitor.url("/oauth2/token")
    pair = {"client_id": visitor.app["client_id"], "client_secret": visitor.app["client_secret"]}
    for given in (
        {"grant_type": "refresh_token", "refresh_token": text, **pair},
        {"grant_type": "authorization_code", "code": text, "redirect_uri": CALLBACK, **pair},
        {"grant_type": "refresh_token", "refresh_token": "x", "client_id": text, "client_secret": text},
        {"grant_type": text, "code": text},
    ):
        assert requests.post(url, json=given, timeout=20).status_code in (400, 401)
    json_safe = text.encode("utf-8", "replace").decode()
    assert visitor.consent(client_id=json_safe).status_code == 200
    assert visitor.get("/api/3/tasks", params={"access_token": json_safe}).status_code == 401
    assert visitor.exchange(visitor.code()).status_code == 200


def test_no_secret_reaches_the_log(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], file: Path
) -> None:
    with caplog.at_level("DEBUG", logger="waitress"):
        token = visitor.exchange(visitor.code()).json()
        visitor.me(token["access_token"])
    assert (caplog.text, capfd.readouterr()) == ("", ("", ""))
    assert [path.name for path in file.parent.iterdir()] == ["sandbox.sqlite3"]


def test_the_clock_can_be_moved_by_a_program_but_not_by_a_page(visitor: Visitor) -> None:
    url = visitor.url("/clock")
    token = visitor.exchange(visitor.code()).json()["access_token"]
    assert requests.get(url, timeout=20).json() == {"offset": 0}
    assert requests.post(url, json={"advance": 7201.5}, timeout=20).json() == {"offset": 7201.5}
    assert "expired" in visitor.me(token).headers["WWW-Authenticate"]
    for forged in ({"data": {"advance": "60"}}, {"data": '{"advance": 60}', "headers": {"Content-Type": "text/plain"}}):
        assert requests.post(url, timeout=20, **forged).status_code == 422
    for wrong in ('{"advance": "60"}', '{"advance": true}', '{"advance": 1e999}', "[60]", "{"):
        sent = requests.post(url, wrong, headers={"Content-Type": "application/json"}, timeout=20)
        assert sent.status_code == 400, wrong
    assert requests.get(url, timeout=20).json() == {"offset": 7201.5}
