"""Numbers, texts and headers that no honest program sends: refused with a sentence, and the sandbox goes on."""

import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup
from provider.sandbox.visitor import CALLBACK, Visitor, registered

from redbooth_nb.provider.sandbox import Sandbox, SandboxError, Switches
from redbooth_nb.provider.sandbox.data import LONGEST

JSON = {"Content-Type": "application/json"}
TAKES_JSON = ("/oauth2/token", "/oauth2/revoke", "/oauth2/authorize", "/oauth2/applications", "/session", "/clock")
DEEP = ("[" * 5000, "[" * 30_000 + "]" * 30_000, '{"a":' * 10_900 + "1" + "}" * 10_900)
ABSURD = (1e308, -1e308, 1e12, -1e12, LONGEST + 3600, -LONGEST - 3600, 10**400, float("inf"), float("nan"))
DIGITS = ("9" * 18, "9" * 19, "9" * 400, "9" * 5000, "0" * 5000, "-1", "1e3", "1.5", "٣", "%00", "1%00", "1_0")
LONE = "\ud800"


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if a request failed inside: that leaves a traceback in the log, even if the answer is a page."""
    yield
    assert capfd.readouterr() == ("", "")
    assert "Traceback" not in caplog.text


def post(visitor: Visitor, path: str, body: str) -> requests.Response:
    return visitor.browser.post(visitor.url(path), body, headers=JSON, timeout=20, allow_redirects=False)


@pytest.mark.parametrize("body", DEEP, ids=["open", "closed", "objects"])
def test_deep_json_is_refused(visitor: Visitor, body: str) -> None:
    for path in TAKES_JSON:
        assert post(visitor, path, body).status_code == 400, path
    assert visitor.exchange(visitor.code()).status_code == 200


def test_json_that_only_a_newer_python_reads_is_no_failure(visitor: Visitor) -> None:
    """Python 3.13 reads five times as deep as 3.12; the answer then depends on the path."""
    for path in TAKES_JSON:
        assert post(visitor, path, '{"a":' * 5000 + "1" + "}" * 5000).status_code < 500, path


@pytest.mark.parametrize("seconds", ABSURD, ids=repr)
def test_the_clock_stays_within_a_century(visitor: Visitor, seconds: float) -> None:
    """By HTTP and by Python alike: refused with the reason, and the clock stays as it was."""
    visitor.sandbox.advance(60)
    for _ in range(2):
        answer = post(visitor, "/clock", json.dumps({"advance": seconds}))
        assert answer.status_code == 400
        assert "100 years" in answer.json()["error_description"]
        with pytest.raises(SandboxError, match="100 years"):
            visitor.sandbox.advance(seconds)
    assert visitor.get("/clock").json() == {"offset": 60}
    assert visitor.exchange(visitor.code()).status_code == 200


@pytest.mark.parametrize("seconds", ["60", None, True, [60], b"60"])
def test_the_clock_takes_numbers_only(sandbox: Sandbox, seconds: Any) -> None:  # noqa: ANN401 - that is the point
    before = sandbox.now()
    with pytest.raises(SandboxError, match=r"can't be moved by .*number of seconds"):
        sandbox.advance(seconds)
    assert sandbox.now() - before < 50


@pytest.mark.parametrize("seconds", [LONGEST, -LONGEST])
def test_everything_works_a_century_away(visitor: Visitor, seconds: int) -> None:
    visitor.sandbox.advance(seconds)
    app = visitor.sandbox.seed_application("Far away", CALLBACK)
    visitor.app = app
    token = visitor.exchange(visitor.code()).json()
    assert visitor.me(token["access_token"]).status_code == 200
    assert visitor.refresh(token["refresh_token"]).status_code == 200
    for path in ("", "/2", "/2.json", "/2/edit"):
        assert visitor.get(f"/oauth2/applications{path}").status_code == 200
    visitor.sandbox.advance(-seconds)
    assert visitor.get("/clock").json() == {"offset": 0}


@pytest.mark.parametrize("offset", ["1e12", "-1e12", "1e308", "Infinity", "NaN"])
def test_a_file_with_an_absurd_clock_is_mended(visitor: Visitor, file: Path, offset: str) -> None:
    """Written by a version whose clock had no bounds; the application stays, its codes and tokens go."""
    token = visitor.exchange(visitor.code()).json()["access_token"]
    far = 9e999 if offset in {"Infinity", "NaN"} else float(offset)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO settings VALUES ('clock_offset', ?)", (offset,))
        for table in ("applications", "codes", "tokens"):
            connection.execute(f"UPDATE {table} SET created_at = ?", (far,))  # noqa: S608 - literals
        connection.execute("UPDATE applications SET updated_at = ?", (far,))
        for index in ("codes_of", "tokens_of"):
            connection.execute(f"DROP INDEX {index}")
        connection.execute("PRAGMA user_version = 1")
    again = Sandbox(file, 0)
    assert abs(again.now() - visitor.sandbox.now()) < 50
    assert visitor.get("/clock").json() == {"offset": 0}
    shown = visitor.get("/oauth2/applications/1.json").json()
    assert re.match(r"20\d\d-", shown["created_at"])
    assert re.match(r"20\d\d-", shown["updated_at"])
    assert visitor.me(token).status_code == 401
    assert visitor.exchange(visitor.code()).status_code == 200
    again.advance(60)
    assert visitor.get("/clock").json() == {"offset": 60}


@pytest.mark.parametrize("seconds", [LONGEST + 1, 10**30, 10**400, 0, -1, 1.5, True, "60", None])
def test_lifetimes_have_bounds(sandbox: Sandbox, seconds: Any) -> None:  # noqa: ANN401 - that is the point
    for name in ("token_lifetime", "code_lifetime"):
        with pytest.raises(SandboxError, match="whole number of seconds from 1 to 3155760000"):
            sandbox.switch(**{name: seconds})
    assert sandbox.switches == Switches()


def test_the_longest_lifetime_works(visitor: Visitor) -> None:
    visitor.sandbox.switch(token_lifetime=LONGEST, code_lifetime=LONGEST)
    visitor.sandbox.advance(LONGEST)
    token = visitor.exchange(visitor.code()).json()
    assert token["expires_in"] == LONGEST
    assert visitor.me(token["access_token"]).status_code == 200


def test_switches_of_another_version_are_left_out(sandbox: Sandbox, file: Path) -> None:
    stored = {"token_lifetime": 10**30, "code_lifetime": 60, "style": "2031", "a switch of tomorrow": True}
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO settings VALUES ('switches', ?)", (json.dumps(stored),))
    assert sandbox.switches == Switches(code_lifetime=60)


@pytest.mark.parametrize("digits", DIGITS, ids=lambda digits: f"{digits[:6]}-{len(digits)}")
def test_no_number_in_an_address_is_a_fault(visitor: Visitor, digits: str) -> None:
    token = visitor.exchange(visitor.code()).json()["access_token"]
    bearer = {"headers": {"Authorization": f"Bearer {token}"}}
    for path in ("applications/{}", "applications/{}.json", "applications/{}/edit", "authorized_applications/{}"):
        assert visitor.get(f"/oauth2/{path.format(digits)}").status_code in {400, 404}, path
        for method in ("delete", "patch"):
            form = {"authenticity_token": visitor.form_token(), "_method": method}
            answer = visitor.browser.post(
                visitor.url(f"/oauth2/{path.format(digits)}"), form, timeout=20, allow_redirects=False
            )
            assert answer.status_code in {302, 400, 404}, path
    assert visitor.get(f"/api/3/tasks/{digits}", **bearer).status_code == 404
    for name in ("page", "per_page", "project_id", "task_list_id"):
        assert visitor.get(f"/api/3/tasks?{name}={digits}", **bearer).status_code == 200, name
    form = {"authenticity_token": visitor.form_token(), "user_id": digits}
    answer = visitor.browser.post(visitor.url("/session"), form, timeout=20)
    assert "Signed in as <strong>Ada" in answer.text
    assert visitor.me(token).status_code == 200


@pytest.mark.parametrize("text", [LONE, "a" + LONE + "b", "\udfff" * 1000, "\x00", "a\x00b", "\x1b[31m", "\u202e"])
def test_no_text_is_a_fault(visitor: Visitor, text: str) -> None:
    """As value and as name, in JSON (which allows half a surrogate pair), in forms and in addresses."""
    known = {"client_id": visitor.app["client_id"], "redirect_uri": CALLBACK, "grant_type": "authorization_code"}
    for name in (*known, "code", "state", "scope", "code_verifier", "_method", "authenticity_token", text):
        for path in TAKES_JSON[:4]:
            assert post(visitor, path, json.dumps(known | {name: text})).status_code < 500, (path, name)
            raw = {name.encode("utf-8", "surrogatepass"): text.encode("utf-8", "surrogatepass")}
            answer = visitor.browser.post(visitor.url(path), known | raw, timeout=20, allow_redirects=False)
            assert answer.status_code < 500, (path, name)
    form = {"authenticity_token": visitor.form_token(), "doorkeeper_application[redirect_uri]": CALLBACK}
    form["doorkeeper_application[name]"] = text.encode("utf-8", "surrogatepass")  # type: ignore[assignment]
    made = visitor.browser.post(visitor.url("/oauth2/applications"), form, timeout=20)
    assert made.status_code == 200
    assert visitor.get("/oauth2/applications").status_code == 200
    assert visitor.exchange(visitor.code()).status_code == 200


@pytest.mark.parametrize("name", ["name", "redirect_uri", "client_id", "client_secret"])
def test_half_a_character_is_not_registered(sandbox: Sandbox, name: str) -> None:
    values = {"name": "App", "redirect_uri": CALLBACK, "client_id": "a" * 64, "client_secret": "b" * 64}
    with pytest.raises(SandboxError, match=r"surrogate|valid URI"):
        sandbox.seed_application(**values | {name: LONE})
    assert registered(sandbox) == []


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Content-Type", "X-Forwarded-Host", "X-Whatever", "Host"])
def test_huge_headers_are_no_fault(visitor: Visitor, name: str) -> None:
    for size in (60_000, 200_000, 300_000):
        for path in ("/oauth2/applications", "/oauth2/authorize", "/api/3/me"):
            answer = requests.get(visitor.url(path), headers={name: "x" * size}, timeout=20, allow_redirects=False)
            assert answer.status_code < 500, (path, size)
        answer = requests.get(visitor.url("/oauth2/authorize?state=" + "x" * size), timeout=20)
        assert answer.status_code < 500, size
    assert visitor.exchange(visitor.code()).status_code == 200


@pytest.mark.parametrize("value", [b"Bearer \xff\xfe", b"Basic \xff", b"Bearer \x00", b"Basic AAAA", b"Basic ////"])
def test_no_credentials_are_a_fault(visitor: Visitor, value: bytes) -> None:
    port = int(visitor.sandbox.start().rsplit(":", 1)[1])
    for path in (b"/api/3/me", b"/oauth2/token"):
        method = b"POST" if path.endswith(b"token") else b"GET"
        with closing(socket.create_connection(("127.0.0.1", port), 20)) as line:
            line.sendall(
                method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + value + b"\r\n\r\n"
            )
            assert re.match(rb"HTTP/1\.[01] 4\d\d ", line.recv(65_536))
    assert visitor.exchange(visitor.code()).status_code == 200


def test_many_parts_of_a_form_are_no_fault(visitor: Visitor) -> None:
    """Few bytes, but more parts than a form may have."""
    body = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n\r\n' for n in range(1100)) + "--x--\r\n"
    for path in ("/oauth2/token", "/oauth2/authorize", "/session"):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = visitor.browser.post(visitor.url(path), body, headers=headers, timeout=20)
        assert answer.status_code in {400, 413, 422}
        assert BeautifulSoup(answer.text, "html.parser").select_one("main h1")
    assert visitor.exchange(visitor.code()).status_code == 200


@pytest.mark.parametrize("port", [-1, 65_536, 10**30])
def test_a_port_that_cannot_be_is_named(file: Path, port: int) -> None:
    with pytest.raises(SandboxError, match=rf"can't listen on port {port}"):
        Sandbox(file, port).start()
    sandbox = Sandbox(file, port, 0)
    sandbox.start()
    sandbox.stop()
