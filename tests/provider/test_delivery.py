"""Where requests to https://redbooth.com go: to the provider in use, whatever the environment says."""

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import requests
from client.machine import TRICKLE, FaultyServer, own_machine, reply, unused_port
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session
from urllib3 import HTTPResponse

from redbooth_nb.client.wire import connect
from redbooth_nb.configuration import ConfigurationError
from redbooth_nb.provider import delivery
from redbooth_nb.provider.adapter import LoopbackDelivery
from redbooth_nb.provider.addresses import API_URL, APPLICATIONS_URL, AUTHORIZE_URL, ORIGIN, TOKEN_URL
from redbooth_nb.provider.delivery import EmbeddedSandbox, Provider, StandIn, current_provider
from redbooth_nb.provider.sandbox import Sandbox


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer.running() as server:
        yield server


@pytest.fixture
def session(server: FaultyServer) -> requests.Session:
    """Return a session that reaches the server under redbooth.com's name."""
    session = requests.Session()
    StandIn(server.origin).deliver(session)
    return session


PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]


@pytest.fixture
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> str:
    """Set every proxy variable to a port where nobody is."""
    proxy = f"http://127.0.0.1:{unused_port()}"
    for name in PROXIES:
        monkeypatch.setenv(name, proxy)
    return proxy


def test_proxies_of_the_environment_are_not_used(
    session: requests.Session, server: FaultyServer, dead_proxy: str
) -> None:
    """A proxy could not reach this machine, and would see the secrets."""
    server.answers = [reply(200, "here")]
    assert session.get(f"{API_URL}/me").text == "here"
    assert session.get(f"{API_URL}/me", proxies={"https": dead_proxy, "all": dead_proxy}).text == "here"
    session.proxies = {"https": dead_proxy}
    assert session.post(TOKEN_URL, data={"a": "b"}).text == "here"
    assert [asked["path"] for asked in server.received] == ["/api/3/me", "/api/3/me", "/oauth2/token"]


def test_the_sandbox_is_reached_behind_a_proxy_too(dead_proxy: str) -> None:
    del dead_proxy
    provider = current_provider()
    answer = connect(requests.Session()).get(APPLICATIONS_URL)
    assert answer.status_code == 200
    assert provider.now() > 0


def test_the_stand_ins_clock_is_reached_behind_a_proxy_too(dead_proxy: str) -> None:
    del dead_proxy
    sandbox = Sandbox(Path("other.sqlite3"), 0)
    sandbox.start()
    try:
        sandbox.advance(5000)
        provider = StandIn(sandbox.start())
        assert provider.now() - Provider().now() > 4900
        assert provider.let_time_pass(5000)
        assert provider.now() - Provider().now() > 9900
    finally:
        sandbox.stop()


def test_the_answer_looks_as_if_redbooth_had_given_it(session: requests.Session, server: FaultyServer) -> None:
    """`url` and `request` are what the cell asked for; what arrived is what was sent."""
    server.answers = [reply(200, "{}")]
    answer = session.post(f"{API_URL}/tasks?a=1", data={"x": "y"}, headers={"X-Own": "z"})
    assert answer.url == f"{API_URL}/tasks?a=1"
    assert answer.request.url == f"{API_URL}/tasks?a=1"
    assert answer.request.body == "x=y"
    (asked,) = server.received
    assert (asked["path"], asked["body"], asked["headers"]["x-own"]) == ("/api/3/tasks?a=1", "x=y", "z")
    assert asked["headers"]["host"] == server.origin.removeprefix("http://")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("{origin}/oauth2/authorize?x=1", f"{ORIGIN}/oauth2/authorize?x=1"),
        ("/oauth2/authorize", "/oauth2/authorize"),
        ("http://127.0.0.1:1/callback?code=x", "http://127.0.0.1:1/callback?code=x"),
        ("{origin}.example/x", "{origin}.example/x"),
    ],
)
def test_a_location_of_the_stand_in_is_redbooths(
    session: requests.Session, server: FaultyServer, said: str, shown: str
) -> None:
    """Only its own address is rewritten: the redirect URI stays as it is."""
    server.answers = [reply(302, "", Location=said.format(origin=server.origin))]
    answer = session.get(AUTHORIZE_URL, allow_redirects=False)
    assert answer.headers["Location"] == shown.format(origin=server.origin)


@pytest.mark.parametrize("location", ["{origin}/next", "/next"])
def test_a_redirect_within_the_stand_in_is_followed_there(
    session: requests.Session, server: FaultyServer, location: str
) -> None:
    server.answers = [reply(302, "", Location=location.format(origin=server.origin)), reply(200, "arrived")]
    answer = session.get(f"{ORIGIN}/first")
    assert (answer.text, answer.url) == ("arrived", f"{ORIGIN}/next")
    assert [asked["path"] for asked in server.received] == ["/first", "/next"]


def test_cookies_come_back_to_redbooths_name(session: requests.Session, server: FaultyServer) -> None:
    """The sandbox's login is kept between two requests."""
    server.answers = [reply(200, "", Set_Cookie="who=me; Path=/; HttpOnly"), reply(200, "")]
    session.get(AUTHORIZE_URL)
    session.get(AUTHORIZE_URL)
    assert server.received[1]["headers"]["cookie"] == "who=me"


@pytest.mark.parametrize("kind", [requests.Session, lambda: OAuth2Session("an-id")])
def test_the_netrc_file_does_not_replace_the_token(
    kind: type[requests.Session], server: FaultyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Requests would otherwise send its password in place of the Authorization header."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine redbooth.com login me password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
    connect(kind()).get(f"{API_URL}/me", headers={"Authorization": "Bearer the-token"})
    assert server.received[0]["headers"]["authorization"] == "Bearer the-token"
    own = connect(requests.Session())
    own.get(f"{API_URL}/me", auth=("me", "asked-for"))
    assert server.received[1]["headers"]["authorization"].startswith("Basic ")


def test_on_the_real_service_the_session_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    plain, connected = requests.Session(), connect(requests.Session())
    assert {prefix: type(adapter) for prefix, adapter in connected.adapters.items()} == {
        prefix: type(adapter) for prefix, adapter in plain.adapters.items()
    }
    assert connected.trust_env
    assert connected.verify is True
    provider = current_provider()
    assert provider.link(AUTHORIZE_URL) == AUTHORIZE_URL
    assert not provider.let_time_pass(60)


def test_other_hosts_are_not_delivered_to_the_stand_in(session: requests.Session) -> None:
    for url in ("https://redbooth.com.example/", "https://example.com/", "http://127.0.0.1:1/"):
        assert not isinstance(session.get_adapter(url), LoopbackDelivery)
    assert isinstance(session.get_adapter("https://REDBOOTH.com/api/3/me"), LoopbackDelivery)


@pytest.mark.parametrize(
    "url", ["https://redbooth.com:443/x?y", "https://user:pw@redbooth.com/x?y", "https://u@REDBOOTH.com/x?y"]
)
def test_other_spellings_are_delivered_too(session: requests.Session, server: FaultyServer, url: str) -> None:
    assert session.get(url).status_code == 200
    assert [asked["path"] for asked in server.received] == ["/x?y"]


REFUSED = ["https://redbooth.com./", "http://redbooth.com/", "https://www.redbooth.com/", "https://redbooth.com:8443/"]


@pytest.mark.parametrize("kind", [requests.Session, lambda: OAuth2Session("an-id", token={"access_token": "x"})])
@pytest.mark.parametrize("url", REFUSED)
def test_spellings_that_are_not_the_guides_are_refused(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, kind: type[requests.Session], url: str
) -> None:
    """They would reach the real service, with the stand-in's credentials."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(HTTPAdapter, "send", lambda *_, **__: pytest.fail("it was sent"))
    session = connect(connect(kind()))  # twice, as a cell that is run again
    with pytest.raises(requests.ConnectionError, match="would have gone to the real"):
        session.get(url, proxies={"http": server.origin, "https": server.origin})
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT")
    assert server.received == []


def test_a_redirect_to_another_spelling_is_refused(session: requests.Session, server: FaultyServer) -> None:
    server.answers = [reply(302, "", Location="http://redbooth.com/next")]
    with pytest.raises(requests.ConnectionError, match="would have gone to the real"):
        session.get(f"{ORIGIN}/first")


BAD = [
    "Sandbox", "lives", "redbooth.com", "https://redbooth.com", "http://redbooth.com", "https://127.0.0.1:3999",
    "http://192.0.2.7:3999", "http://127.0.0.1.example:1", "ftp://127.0.0.1", "127.0.0.1:3999", "http://", "http://[::1",
    "http://127.0.0.1:0", "http://127.0.0.1:99999", "http://127.0.0.1:port", "http://user:word@127.0.0.1:3999",
    "http://127.0.0.1@192.0.2.7/", "http://127.0.0.1:3999/path", "http://127.0.0.1:3999?x=1",
]  # fmt: skip


@pytest.mark.parametrize("choice", BAD)
def test_a_provider_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    """It says why a stand-in must be on this machine, and what may be written."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", choice)
    with pytest.raises(ConfigurationError, match="is not a provider that the kit can use") as caught:
        current_provider()
    assert "must run on this machine" in caught.value.why
    assert "sandbox, recorded, live" in caught.value.remedy


@pytest.mark.parametrize(
    ("choice", "origin"),
    [
        ("http://127.0.0.1:3999", "http://127.0.0.1:3999"),
        ("http://127.0.0.1:3999/", "http://127.0.0.1:3999"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:3999", "http://[::1]:3999"),
    ],
)
def test_a_stand_in_on_this_machine_may_be_named(monkeypatch: pytest.MonkeyPatch, choice: str, origin: str) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", choice)
    provider = current_provider()
    assert (provider.kind, provider.origin) == ("stand-in", origin)
    assert provider.link(TOKEN_URL) == f"{origin}/oauth2/token"
    assert "/" not in provider.name


def test_every_kind_has_its_own_folder_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [current_provider().name]
    for choice in ("live", "http://127.0.0.1:1", "http://127.0.0.1:2", "http://localhost:1"):
        monkeypatch.setenv("REDBOOTH_PROVIDER", choice)
        names.append(current_provider().name)
    assert len(set(names)) == len(names)


def test_threads_that_ask_at_once_get_the_same_provider() -> None:
    """One sandbox a process, however many cells and widgets ask."""
    barrier = threading.Barrier(8)
    found: list[Provider] = []

    def ask() -> None:
        barrier.wait()
        found.append(current_provider())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(provider) for provider in found}) == 1


def test_the_sandboxs_clock_is_the_providers() -> None:
    provider = current_provider()
    assert isinstance(provider, EmbeddedSandbox)
    before = provider.now()
    assert provider.let_time_pass(7200)
    assert provider.now() - before >= 7200
    assert provider.sandbox.now() == pytest.approx(provider.now(), abs=30)


@pytest.mark.parametrize(
    "offset", ["1" + "0" * 400, "NaN", "1e999", "-Infinity", "1e300", "[" * 100_000, '"x"', "null"]
)
def test_a_clock_that_makes_no_sense_is_none(monkeypatch: pytest.MonkeyPatch, offset: str) -> None:
    def answer(*_: object, **__: object) -> requests.Response:
        made_up = requests.Response()
        made_up.raw = HTTPResponse(BytesIO(f'{{"offset": {offset}}}'.encode()), preload_content=False)
        return made_up

    monkeypatch.setattr(requests.Session, "request", answer)
    provider = StandIn("http://127.0.0.1:1")
    assert not provider.let_time_pass(60)
    assert provider.now() == pytest.approx(Provider().now(), abs=30)


def test_a_stand_in_without_a_clock_has_this_machines(server: FaultyServer) -> None:
    provider = StandIn(server.origin)
    assert not provider.let_time_pass(60)
    assert provider.now() == pytest.approx(Provider().now(), abs=30)


def test_a_clock_that_moved_is_not_followed(server: FaultyServer) -> None:
    """It could lead to the real redbooth.com."""
    server.clock = reply(302, "", Location=f"{server.origin}/elsewhere")
    assert not StandIn(server.origin).let_time_pass(60)
    assert server.received == []


def test_a_clock_that_does_not_come_to_an_end_is_none(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "SLOWEST_CLOCK", 0.2)
    server.clock = TRICKLE
    assert not StandIn(server.origin).let_time_pass(60)


def test_what_a_missing_line_break_made_part_of_the_setting_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live REDBOOTH_CLIENT_SECRET=canary-secret")
    with pytest.raises(ConfigurationError, match=r"is 'live \.\.\.', which is not a provider") as caught:
        current_provider()
    assert "canary" not in str(caught.value)
