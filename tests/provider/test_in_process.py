"""The sandbox in this process: called without thread or socket, it answers as it does over its port."""

import inspect
import io
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from client.machine import own_machine

from redbooth_nb.client.wire import connect
from redbooth_nb.provider.adapter import LoopbackDelivery
from redbooth_nb.provider.addresses import API_URL, APPLICATIONS_URL, AUTHORIZE_URL, ORIGIN, REVOKE_URL, TOKEN_URL
from redbooth_nb.provider.delivery import EmbeddedSandbox
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.sandbox.web import tx
from redbooth_nb.provider.visitor import press

CALLBACK = "http://127.0.0.1:8765/callback"
Send = Callable[..., requests.Response]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def provider(machine: Path) -> Iterator[EmbeddedSandbox]:
    provider = EmbeddedSandbox(machine / "sandbox.sqlite3")
    yield provider
    provider.sandbox.stop()


@pytest.fixture
def session(provider: EmbeddedSandbox) -> requests.Session:
    return connect(requests.Session(), provider)


def test_a_whole_flow_needs_no_thread_and_no_socket(
    provider: EmbeddedSandbox, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("a socket or a thread")

    known = provider.sandbox.seed_application("App", CALLBACK)
    for place, name in ((socket, "socket"), (socket, "create_connection"), (threading.Thread, "start")):
        monkeypatch.setattr(place, name, forbidden)
    client = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
    asked = f"{AUTHORIZE_URL}?response_type=code&client_id={known['client_id']}&redirect_uri={CALLBACK}&state=s"
    assert "error=access_denied" in press(session, asked, CALLBACK, "deny")
    code = re.findall("code=([^&]+)", press(session, asked, CALLBACK, "allow"))
    grant = {"grant_type": "authorization_code", "code": code[0], "redirect_uri": CALLBACK}
    token = session.post(TOKEN_URL, client | grant).json()
    grant = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    token = session.post(TOKEN_URL, client | grant).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert session.get(f"{API_URL}/me", headers=bearer).json()["first_name"] == "Ada"
    assert session.post(REVOKE_URL, client | {"token": token["access_token"]}).status_code == 200
    assert session.get(f"{API_URL}/me", headers=bearer).status_code == 401
    assert provider.let_time_pass(60)
    assert not provider.sandbox.listening


@pytest.mark.parametrize("ask", [lambda it: it.link(), lambda it: it.link(APPLICATIONS_URL)], ids=["origin", "page"])
def test_it_listens_once_somebody_asks_for_a_link(
    provider: EmbeddedSandbox, ask: Callable[[EmbeddedSandbox], str]
) -> None:
    before = set(threading.enumerate())
    inspect.getmembers(provider)  # looking at it starts nothing
    assert provider.origin == ORIGIN
    address = ask(provider)
    assert address.startswith(provider.origin)
    assert provider.origin != ORIGIN
    assert ask(provider) == address
    assert requests.get(address, timeout=20).status_code == 200
    provider.sandbox.stop()
    assert provider.origin == ORIGIN
    assert set(threading.enumerate()) <= before


def test_the_answer_is_the_guides(session: requests.Session) -> None:
    """Its address and request are what the cell asked for, and a redirect is followed where it leads."""
    answer = session.get(f"{ORIGIN}/?a=1", headers={"X-Own": "z"})
    assert [found.url for found in answer.history] == [f"{ORIGIN}/?a=1"]
    assert (answer.url, answer.request.url, answer.status_code) == (APPLICATIONS_URL, APPLICATIONS_URL, 200)
    assert answer.request.headers["X-Own"] == "z"
    assert answer.elapsed.total_seconds() > 0
    assert answer.reason == "OK"
    assert session.get(f"{ORIGIN}//oauth2//applications").url == APPLICATIONS_URL  # there it says where, in full


def test_cookies_are_the_guides(session: requests.Session) -> None:
    """Requests keeps them for redbooth.com, and sends them there: the form's token is the same on the next page."""
    first, second = (session.get(f"{APPLICATIONS_URL}/new").text for _ in range(2))
    tokens = {*re.findall(r'name="authenticity_token" value="([^"]+)"', first + second)}
    assert len(tokens) == 1
    assert [(cookie.name, cookie.domain) for cookie in session.cookies] == [("redbooth_sandbox", "redbooth.com")]


def test_an_answer_can_be_streamed(session: requests.Session) -> None:
    whole = session.get(APPLICATIONS_URL).content
    with session.get(APPLICATIONS_URL, stream=True, timeout=(0.001, 0.001)) as answer:
        assert b"".join(answer.iter_content(7)) == whole
    with session.get(APPLICATIONS_URL, stream=True) as answer:
        assert answer.raw.read(5) == whole[:5]


JSON = {"Content-Type": "application/json"}
ADVANCE = '{"advance": 0}'
ODD: dict[str, tuple[str, str, Callable[[], dict[str, Any]]]] = {
    "text": ("POST", "/clock", lambda: {"data": ADVANCE, "headers": JSON}),
    "bytes": ("POST", "/clock", lambda: {"data": ADVANCE.encode(), "headers": JSON}),
    "file": ("POST", "/clock", lambda: {"data": io.BytesIO(ADVANCE.encode()), "headers": JSON}),
    "text file": ("POST", "/clock", lambda: {"data": io.StringIO(ADVANCE), "headers": JSON}),
    "generator": ("POST", "/clock", lambda: {"data": iter([b'{"advance"', b"", b": 0}"]), "headers": JSON}),
    "generator of text": ("POST", "/clock", lambda: {"data": iter(['{"advance"', ": 0}"]), "headers": JSON}),
    "multipart": ("POST", "/oauth2/token", lambda: {"files": {"grant_type": (None, "é")}}),
    "not json": ("POST", "/clock", lambda: {"data": "é{", "headers": JSON}),
    "too large": ("POST", "/oauth2/token", lambda: {"data": "a=" + "x" * 200_000}),
    "too large, without a length": ("POST", "/oauth2/token", lambda: {"data": iter([b"x" * 50_000] * 4)}),
    "head": ("HEAD", "/oauth2/applications", dict),
    "options": ("OPTIONS", "/oauth2/applications", dict),
    "override": ("POST", "/oauth2/token", lambda: {"headers": {"X-HTTP-Method-Override": "GET"}}),
    "static": ("GET", "/static/sandbox.css", dict),
    "escaped": ("GET", "/oauth2/applications/%ff%2F%00?a=%zz&b=\u2028#part", dict),
    "pages": ("GET", "/api/3/tasks?per_page=2", lambda: {"headers": {"Authorization": b"bearer \xff"}}),
    "basic": ("POST", "/oauth2/token", lambda: {"auth": ("é", "word"), "data": {"grant_type": "x"}}),
    "stranger": ("GET", "/oauth2/applications", lambda: {"headers": {"Host": "redbooth.example"}}),
    "forged": ("POST", "/oauth2/applications", lambda: {"data": {"authenticity_token": "made up"}}),
    "forged header": ("POST", "/clock", lambda: {"data": ADVANCE, "headers": {"Content_Type": "application/json"}}),
    "forged length": ("POST", "/oauth2/token", lambda: {"data": "a=b", "headers": {"Content_Length": "0"}}),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_it_answers_as_over_its_port(
    provider: EmbeddedSandbox, session: requests.Session, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, options = ODD[case]

    def facts(sender: requests.Session) -> tuple[object, ...]:
        answer = sender.request(method, ORIGIN + path, allow_redirects=False, timeout=20, **options())
        ours = {name.lower(): value for name, value in answer.headers.items()}
        for name in {"date", "server", "set-cookie"} & ours.keys():
            del ours[name]
        body = re.sub(r'(authenticity_token" value=)"[^"]*"', r"\1", answer.text)
        return answer.status_code, answer.reason, answer.url, ours, body

    monkeypatch.setattr(EmbeddedSandbox, "_delivery", lambda it: LoopbackDelivery(it.link()))
    over_socket = facts(connect(requests.Session(), provider))
    assert facts(session) == over_socket


def test_other_spellings_are_refused(session: requests.Session) -> None:
    for url in ("https://redbooth.com./", "http://redbooth.com/", "https://www.redbooth.com/"):
        with pytest.raises(requests.ConnectionError, match="would have gone to the real"):
            session.get(url)
    assert session.get("https://user:pw@REDBOOTH.com:443/oauth2/applications").status_code == 200


@pytest.mark.parametrize("text", ["Bearer \u20ac", "Bearer a\nb"])
def test_a_header_that_cannot_be_sent_is_an_error(session: requests.Session, text: str) -> None:
    with pytest.raises((ValueError, requests.RequestException)):
        session.get(f"{API_URL}/me", headers={"Authorization": text})


@pytest.mark.parametrize("part", ["a view", "the application"])
def test_what_fails_inside_is_a_page(
    provider: EmbeddedSandbox, monkeypatch: pytest.MonkeyPatch, part: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever Flask is told to do with exceptions; the next request is answered."""

    def fail(*_: object, **__: object) -> None:
        raise LookupError("inside")

    monkeypatch.setenv("FLASK_DEBUG", "1")
    sandbox = Sandbox(provider.sandbox._database.path)
    monkeypatch.setattr(provider, "sandbox", sandbox)
    session = connect(requests.Session(), provider)
    with monkeypatch.context() as broken:
        if part == "a view":
            broken.setitem(sandbox.app.view_functions, "pages._index", fail)
        else:
            broken.setattr(sandbox.app, "wsgi_app", fail)
        answer = session.get(APPLICATIONS_URL)
    assert (answer.status_code, "inside" in answer.text) == (500, False)
    assert "<h1>Internal Server Error</h1>" in answer.text
    assert ("Please try again." in answer.text) == (part == "a view")  # the sandbox's own page, if that still works
    assert "secret" not in "".join(capfd.readouterr())
    assert session.get(APPLICATIONS_URL).status_code == 200


def test_an_interrupt_reaches_the_cell_and_undoes_the_request(
    provider: EmbeddedSandbox, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        tx.set("clock_offset", 100.0)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setitem(provider.sandbox.app.view_functions, "pages._index", interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.get(APPLICATIONS_URL)
    assert session.get(f"{ORIGIN}/clock").json() == {"offset": 0}


def test_threads_may_ask_at_once(provider: EmbeddedSandbox) -> None:
    answers: list[int] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        session = connect(requests.Session(), provider)
        barrier.wait()
        answers.extend(session.get(f"{APPLICATIONS_URL}/new").status_code for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 40
