"""What the sandbox does with those who mean it ill: wrong methods, floods, other people's data, pages in frames."""

import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup
from provider.sandbox.visitor import CALLBACK, Visitor, registered

from redbooth_nb.provider.sandbox import Sandbox

ROUTES = ("/", "/session", "/clock", "/oauth2/authorize", "/oauth2/authorize/native", "/oauth2/token", "/oauth2/revoke",
          "/oauth2/token/info", "/oauth2/applications", "/oauth2/applications/new", "/oauth2/applications/1",
          "/oauth2/applications/1/edit", "/oauth2/applications/1.json", "/oauth2/authorized_applications",
          "/oauth2/authorized_applications/1", "/api/3/me", "/api/3/projects", "/api/3/tasks", "/api/3/tasks/1",
          "/static/sandbox.css")  # fmt: skip
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "A" * 200)
KINDS = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x")
RAW = {
    "nothing": b"",
    "zero bytes": b"\x00" * 100,
    "TLS": b"\x16\x03\x01\x02\x00",
    "HTTP/9": b"GET / HTTP/9.9\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a negative length": b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    "two lengths, to smuggle a second request": (
        b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /clock HTTP/1.1\r\n\r\n"
    ),
}
SQL = ("'", "1' OR '1'='1", "1; DROP TABLE tokens; --", '"', "1 UNION SELECT secret FROM applications", "%00", "\\")


@pytest.mark.parametrize("path", ROUTES)
def test_no_method_is_more_than_was_meant(visitor: Visitor, path: str) -> None:
    """Every method on every address: never a fault of the server, never a change; nothing echoes (TRACE)."""
    before = (registered(visitor.sandbox), visitor.get("/oauth2/applications/1.json").json())
    for method in METHODS:
        if (path, method) in {("/oauth2/applications/1", "GET"), ("/oauth2/applications/1.json", "GET")}:
            continue  # these show the secret to its owner, as they should
        answer = visitor.browser.request(
            method, visitor.url(path), headers={"X-Mirror": "mirror"}, timeout=20, allow_redirects=False
        )
        assert answer.status_code < 500, method
        assert "mirror" not in answer.text
        assert visitor.app["client_secret"] not in answer.text
    assert (registered(visitor.sandbox), visitor.get("/oauth2/applications/1.json").json()) == before


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke", "/oauth2/authorize", "/session", "/clock"])
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"]
)
def test_a_flood_is_refused(visitor: Visitor, path: str, kind: str) -> None:
    """More than 64 KiB, of whatever type; the sandbox goes on serving."""
    answer = visitor.browser.post(visitor.url(path), b"a=" + b"x" * 200_000, headers={"Content-Type": kind}, timeout=20)
    assert answer.status_code in {400, 401, 403, 413, 422}
    assert visitor.exchange(visitor.code()).status_code == 200


def test_a_flood_without_a_length_is_refused(visitor: Visitor) -> None:
    """Chunked: there is no length to look at beforehand."""
    answer = requests.post(visitor.url("/oauth2/token"), iter([b"x" * 50_000] * 4), timeout=20)
    assert answer.status_code in {400, 401, 413}
    assert visitor.exchange(visitor.code()).status_code == 200


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_what_is_no_request_does_not_stop_it(visitor: Visitor, raw: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_connection(("127.0.0.1", int(visitor.sandbox.start().rsplit(":", 1)[1])), 20)) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65_536)
    assert b"Traceback" not in answer
    assert b"offset" not in answer  # the second request in one is not answered
    assert visitor.exchange(visitor.code()).status_code == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", SQL)
def test_pages_take_sql_for_text(visitor: Visitor, text: str) -> None:
    """In addresses, forms and filters; what is typed comes back as it was typed, and nothing else comes with it."""
    token = visitor.exchange(visitor.code()).json()["access_token"]
    for path in (f"/oauth2/applications/{text}", f"/oauth2/authorized_applications/{text}", f"/api/3/tasks/{text}"):
        assert visitor.get(path, headers={"Authorization": f"Bearer {token}"}).status_code in {400, 404}
    for name in ("project_id", "page", "per_page", "status"):
        answer = visitor.get("/api/3/tasks", params={name: text}, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert "secret" not in answer.text
    form = {"authenticity_token": visitor.form_token(), "doorkeeper_application[name]": f"App {text}"}
    url = visitor.url("/oauth2/applications")
    made = visitor.browser.post(url, form | {"doorkeeper_application[redirect_uri]": CALLBACK}, timeout=20)
    assert made.status_code == 200
    assert f"App {text}" in BeautifulSoup(made.text, "html.parser").get_text()
    assert [app["name"] for app in registered(visitor.sandbox)] == ["Practice app", f"App {text}"]
    assert visitor.me(token).status_code == 200


def become(visitor: Visitor, name: str) -> None:
    """Sign somebody else in at this browser."""
    page = BeautifulSoup(visitor.get("/oauth2/applications").text, "html.parser").select_one("form.who")
    assert page is not None
    fields = {str(one["name"]): str(one.get("value")) for one in page.select("[name]")}
    assert name in page.get_text()
    visitor.browser.post(visitor.url("/session"), fields, timeout=20)


def test_one_person_s_permission_is_not_another_s(visitor: Visitor) -> None:
    """Bo neither sees nor withdraws what Ada allowed, and is asked himself."""
    ada = visitor.exchange(visitor.code()).json()["access_token"]
    become(visitor, "Bo")
    assert (
        "Practice app"
        not in BeautifulSoup(visitor.get("/oauth2/authorized_applications").text, "html.parser").get_text()
    )
    form = {"authenticity_token": visitor.form_token(), "_method": "delete"}
    visitor.browser.post(visitor.url("/oauth2/authorized_applications/1"), form, timeout=20)
    assert visitor.me(ada).status_code == 200
    assert visitor.consent().status_code == 200  # a page that asks, and no code
    bo = visitor.exchange(visitor.code()).json()["access_token"]
    assert (visitor.me(ada).json()["first_name"], visitor.me(bo).json()["first_name"]) == ("Ada", "Bo")


def test_one_app_s_code_and_tokens_are_not_another_s(visitor: Visitor) -> None:
    """RFC 6749 sections 4.1.3 and 6: neither exchanged, refreshed nor revoked by somebody else's app."""
    code, token = visitor.code(), visitor.exchange(visitor.code()).json()
    own = visitor.app
    visitor.app = visitor.sandbox.seed_application("Another app", CALLBACK)
    assert visitor.exchange(code).json()["error"] == "invalid_grant"
    assert visitor.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    pair = {"client_id": visitor.app["client_id"], "client_secret": visitor.app["client_secret"]}
    revoked = requests.post(visitor.url("/oauth2/revoke"), pair | {"token": token["access_token"]}, timeout=20)
    assert revoked.status_code == 403
    visitor.app = own
    assert visitor.exchange(code).status_code == 200
    assert visitor.me(token["access_token"]).status_code == 200


@pytest.mark.parametrize("session", ["", "x", "eyJ1c2VyX2lkIjoxfQ.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"])
def test_a_made_up_session_is_nobody_s(visitor: Visitor, session: str) -> None:
    """The cookie is signed; a forged one begins a new session, whose form token nobody else knows."""
    answer = requests.get(visitor.url("/oauth2/applications/new"), cookies={"redbooth_sandbox": session}, timeout=20)
    assert answer.status_code == 200
    token = re.search(r'name="authenticity_token" value="([^"]+)"', answer.text)
    assert token is not None
    sent = visitor.asked(commit="Authorize", authenticity_token=token[1])
    forged = requests.post(visitor.url("/oauth2/authorize"), sent, cookies={"redbooth_sandbox": session}, timeout=20)
    assert forged.status_code == 422


def test_another_site_cannot_read_an_answer(visitor: Visitor) -> None:
    """No address allows another origin to read it, asked or not."""
    for path in ROUTES:
        for method in ("GET", "OPTIONS"):
            headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            answer = visitor.browser.request(method, visitor.url(path), headers=headers, timeout=20)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")], path


@pytest.mark.parametrize(
    "back", ["oauth2/a\r\nX: y", "oauth2/a\nb", "oauth2/a\x00", "//evil.example", "oauth2/a\u2028"]
)
def test_where_to_return_to_cannot_add_a_heading(visitor: Visitor, back: str) -> None:
    form = {"authenticity_token": visitor.form_token(), "user_id": "2", "return_to": back}
    answer = visitor.browser.post(visitor.url("/session"), form, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (302, "oauth2/applications")
    assert "X" not in answer.headers


def test_a_file_that_lost_its_key_gets_a_new_one(tmp_path: Path) -> None:
    """Without it no page could be shown."""
    Sandbox(tmp_path / "s.sqlite3")
    with closing(sqlite3.connect(tmp_path / "s.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM settings")
    sandbox = Sandbox(tmp_path / "s.sqlite3", 0)
    sandbox.start()
    try:
        assert requests.get(f"{sandbox.start()}/oauth2/applications", timeout=20).status_code == 200
    finally:
        sandbox.stop()
