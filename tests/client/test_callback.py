"""The listener: one answer, on this machine only, quiet whatever knocks."""

import errno
import gc
import http.client
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from client.machine import CLIENT_ID, CLIENT_SECRET
from reliability.callbacks import browse, cycles, descriptors, ended, good, port_of, throw

from redbooth_nb.client import callback, loopback, private_file
from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.errors import StateError
from redbooth_nb.client.register import save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import TokenStore

Listen = Callable[..., SignIn]
QUICK = 10  # seconds a test waits for what takes milliseconds


@pytest.fixture
def sent(redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> AuthorizationRequest:
    """Return an authorization under way. The browser of these tests is free to send requests."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    return AuthorizationRequest.new(save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri))


@pytest.fixture
def listener(sent: AuthorizationRequest, listen: Listen) -> SignIn:
    return listen(sent)


def server_of(listener: SignIn) -> loopback.LoopbackServer:
    assert listener._server is not None
    return listener._server


def assert_still_waiting(listener: SignIn) -> None:
    """Prove that nothing was consumed: the right answer is still taken."""
    assert listener.status == "waiting"
    assert browse(listener, good(listener.request))[0] == 200
    assert listener.wait(QUICK)
    assert listener.response.outcome == "allowed"


def test_the_answer_arrives_and_the_listener_ends(listener: SignIn) -> None:
    """R11, R15: one answer, then the port is free."""
    status, _, page = browse(listener, good(listener.request))
    assert (status, "close this tab" in page) == (200, True)
    assert listener.wait(QUICK)
    assert listener.status == "answered"
    assert listener.response.code is not None
    assert listener.response.code.reveal() == "code-of-the-user"
    with pytest.raises(ConnectionRefusedError):
        browse(listener, good(listener.request))


@pytest.mark.parametrize(
    ("error", "title"), [("access_denied", "You denied access"), ("server_error", "reported an error")]
)
def test_a_denial_is_an_answer_too(listener: SignIn, error: str, title: str) -> None:
    assert title in browse(listener, "/callback?" + urlencode({"error": error, "state": listener.request.state}))[2]
    assert listener.wait(QUICK)
    assert listener.response.error == error


def test_the_answer_to_a_newer_sign_in_is_not_called_wrong(sent: AuthorizationRequest, listen: Listen) -> None:
    """Another notebook waits for it, and only this one listens: the page says where to paste it."""
    listener = listen(sent)
    newer = AuthorizationRequest.new(sent.settings)
    status, _, page = browse(listener, good(newer))
    assert status == 410
    assert "This is the answer to a newer sign-in" in page
    assert "paste it into the panel of the newer sign-in" in page
    assert ended(listener)
    assert listener.status == "replaced by a newer one"
    answer = AuthorizationResponse.read(f"{newer.redirect_uri.partition('/callback')[0]}{good(newer)}", newer)
    assert answer.state_check == "the value that was sent"  # nothing of it was used up


def test_once_there_is_a_newer_request_no_answer_is_awaited(sent: AuthorizationRequest, listen: Listen) -> None:
    listener = listen(sent)
    AuthorizationRequest.new(sent.settings)
    page = browse(listener, good(sent))[2]
    assert "A newer request was made after this one." in page
    assert "still waiting" not in page
    assert ended(listener)


def test_everybody_is_told_of_every_change(sent: AuthorizationRequest, listen: Listen) -> None:
    seen: list[tuple[str, int]] = []
    told = threading.Event()

    def on_change() -> None:
        seen.append((listener.status, len(listener.refused)))
        if listener.status != "waiting":
            told.set()

    listener = listen(sent, on_change=on_change)
    browse(listener, "/callback?code=x&state=wrong")
    browse(listener, good(sent))
    assert told.wait(QUICK)
    assert seen == [("waiting", 1), ("answered", 1)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_on_the_loopback_address_only(sent: AuthorizationRequest, listen: Listen, host: str) -> None:
    """R9: the machine's other addresses refuse.

    The promise speaks of an override for containers. There is none, and so none can be set by mistake: where the
    browser cannot reach the listener, its address is pasted.
    """
    address = sent.redirect_uri.replace("127.0.0.1", host)
    listener = listen(replace(sent, redirect_uri=address))
    bound = [listening.getsockname()[0] for listening in server_of(listener)._sockets]
    assert bound == (["127.0.0.1", "::1"] if host == "localhost" and socket.has_ipv6 else ["127.0.0.1"])
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        with suppress(OSError):  # no network at all
            probe.connect(("192.0.2.1", 9))  # sends nothing; tells which address this machine would use
        own = probe.getsockname()[0]
    if own.startswith(("127.", "0.")):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own, port_of(listener)), QUICK)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_it_listens_on_the_ipv6_loopback_where_that_is_registered(sent: AuthorizationRequest, listen: Listen) -> None:
    """R9."""
    listener = listen(replace(sent, redirect_uri=sent.redirect_uri.replace("127.0.0.1", "[::1]")))
    with closing(http.client.HTTPConnection("::1", port_of(listener), timeout=QUICK)) as browser:
        browser.request("GET", good(sent), headers={"Host": f"[::1]:{port_of(listener)}"})
        assert browser.getresponse().status == 200
    assert listener.wait(QUICK)


@pytest.mark.parametrize("uri", ["https://127.0.0.1:1/callback", "http://192.0.2.1:1/callback", "my-app://callback"])
def test_a_redirect_uri_that_leads_elsewhere_is_named(sent: AuthorizationRequest, uri: str) -> None:
    """R9: and the way on is to paste the address."""
    notice = SignIn(replace(sent, redirect_uri=uri)).notice
    assert "does not lead to this machine" in notice
    assert "paste" in notice


def test_the_port_is_open_before_anybody_sees_the_link(sent: AuthorizationRequest, listen: Listen) -> None:
    """R10: when start() returns, a browser is heard."""
    listener = listen(sent)
    socket.create_connection(("127.0.0.1", port_of(listener)), QUICK).close()


def test_a_busy_port_is_named_at_once_with_a_way_on(sent: AuthorizationRequest) -> None:
    """R10: another program holds it; no other port is taken in silence."""
    port = urlsplit(sent.redirect_uri).port
    with closing(socket.create_server(("127.0.0.1", port or 0))):
        listener = SignIn(sent)
    for words in (f"Port {port} is not free", "Another program", "paste"):
        assert words in listener.notice
    listener.cancel()  # nothing to stop, and no error


HOLDER = """
import sys, time
from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.register import Settings
assert SignIn(PendingAuthorization(Settings.load()).request()).notice == ''
print("listening", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("notebook", "said"), [("2-authorize.ipynb", "The notebook 2-authorize.ipynb"), ("", "Another notebook")]
)
def test_a_port_held_by_another_notebook_names_it(sent: AuthorizationRequest, notebook: str, said: str) -> None:
    """R10."""
    environment = {**os.environ, "JPY_SESSION_NAME": notebook}
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", HOLDER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "listening\n"
        assert said in SignIn(sent).notice
        holder.kill()
    port = urlsplit(sent.redirect_uri).port or 0
    with closing(socket.create_server(("127.0.0.1", port))):
        assert "Another program" in SignIn(sent).notice  # the note of the dead is not believed


def test_a_cell_run_again_replaces_its_own_listener(sent: AuthorizationRequest, listen: Listen) -> None:
    """R15."""
    first = listen(sent)
    second = listen(sent)
    assert first.status == "replaced by a newer one"
    assert_still_waiting(second)


def test_whatever_knocks_at_its_end_is_closed() -> None:
    """Nothing is left for the garbage collector to warn about, in whatever test it happens to run."""
    for _ in range(20):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = loopback.LoopbackServer("127.0.0.1", port, QUICK, lambda _: loopback.Page(200, "", ""), dict)
        with ThreadPoolExecutor() as knocking:
            server.start()
            knocks = [knocking.submit(socket.create_connection, ("127.0.0.1", port), QUICK) for _ in range(12)]
            server.stop()
        for knock in knocks:
            if knock.exception() is None:
                knock.result().close()
        server.join(QUICK)
        assert not server.is_alive()
    gc.collect()  # pytest makes an error of each ResourceWarning


STRANGERS = {
    "favicon": ("/favicon.ico", "GET", 404),
    "another path": ("/other?code=x&state={state}", "GET", 404),
    "a longer path": ("/callback/x?code=x&state={state}", "GET", 404),
    "HEAD": ("/callback?code=x&state={state}", "HEAD", 501),
    "POST": ("/callback?code=x&state={state}", "POST", 501),
    "OPTIONS": ("/callback?code=x&state={state}", "OPTIONS", 501),
    "no answer": ("/callback", "GET", 400),
    "no state": ("/callback?code=x", "GET", 400),
    "wrong state": ("/callback?code=x&state=wrong", "GET", 400),
    "code twice": ("/callback?code=x&code=x&state={state}", "GET", 400),
    "an absolute address": ("http://127.0.0.1/callback?code=x&state={state}", "GET", 400),
}


@pytest.mark.parametrize(("path", "method", "expected"), STRANGERS.values(), ids=STRANGERS.keys())
def test_strangers_consume_nothing_and_see_nothing(listener: SignIn, path: str, method: str, expected: int) -> None:
    """R11, R12, R14: refused with a page of our own, and the wait goes on."""
    status, headers, page = browse(listener, path.format(state=listener.request.state), method)
    assert status == expected
    assert_safe(headers)
    assert "code=" not in page
    assert listener.request.state not in page
    assert_still_waiting(listener)


def assert_safe(headers: dict[str, str]) -> None:
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Python" not in headers.get("Server", "")


def client_hello() -> bytes:
    """Return the first bytes of a TLS connection."""
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


RAW = {
    "TLS": client_hello(),
    "nothing": b"",
    "half a line": b"GET /callback?code=mirror",
    "only line breaks": b"\r\n\r\n\r\n",
    "zero bytes": b"\x00" * 2000,
    "high bytes": bytes(range(128, 256)) * 20 + b"\r\n\r\n",
    "a space in the code": b"GET /callback?code=mir ror HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET /callback?code=mirror\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": b"GET /callback?code=mirror HTTP/9.9\r\n\r\n",
    "a method of one's own": b"<b>mirror</b> /callback HTTP/1.1\r\n\r\n",
    "a very long line": b"GET /callback?code=mirror" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "a very long header": b"GET / HTTP/1.1\r\nX: " + b"mirror" * 12_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: mirror\r\n" * 200 + b"\r\n",
    "an address that is none": b"GET http://[/callback?code=mirror HTTP/1.1\r\n\r\n",
    "raw UTF-8": "GET /callback?code=\u00e9\u4e2d HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_raw_bytes_neither_consume_nor_crash_it(
    listener: SignIn, raw: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """R11, R14, R15: whatever comes back holds nothing of what was sent; nothing is printed."""
    answer = throw(listener, raw)
    assert b"mir" not in answer
    assert b"Traceback" not in answer
    assert_still_waiting(listener)
    assert capfd.readouterr() == ("", "")


def test_a_connection_that_breaks_is_no_news(listener: SignIn, capfd: pytest.CaptureFixture[str]) -> None:
    """R11."""
    for _ in range(5):
        browser = socket.create_connection(("127.0.0.1", port_of(listener)), QUICK)
        browser.sendall(b"GET /callback?code=x HTTP/1.1\r\n")
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        browser.close()
    assert_still_waiting(listener)
    assert capfd.readouterr() == ("", "")


def test_a_connection_that_says_nothing_does_not_hold_up_the_browser(listener: SignIn) -> None:
    """R11: browsers open spare connections."""
    with closing(socket.create_connection(("127.0.0.1", port_of(listener)), QUICK)):
        assert_still_waiting(listener)


def test_a_tab_closed_too_early_still_counts(listener: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """R11: the answer was taken, so the wait ends even where the page could not be sent."""

    def broken(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(loopback.Page, "encoded", broken)
    throw(listener, f"GET {good(listener.request)} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(listener)}\r\n\r\n".encode())
    assert listener.wait(QUICK)
    assert listener.status == "answered"


HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil.example:{port}",
    "0.0.0.0:{port}",
]


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_is_refused(listener: SignIn, host: str) -> None:
    """R13: a web site whose name leads to this machine learns nothing."""
    status, headers, _ = browse(listener, good(listener.request), host=host.format(port=port_of(listener)))
    assert status == 400
    assert_safe(headers)
    assert_still_waiting(listener)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_its_own_names_are_answered(listener: SignIn, host: str) -> None:
    assert browse(listener, good(listener.request), host=host.format(port=port_of(listener)))[0] == 200


def test_a_missing_host_is_refused(listener: SignIn) -> None:
    """R13: HTTP/1.0 without Host."""
    assert b" 400 " in throw(listener, f"GET {good(listener.request)} HTTP/1.0\r\n\r\n".encode())
    assert_still_waiting(listener)


@pytest.mark.parametrize("outcome", [{}, {"error": "access_denied", "error_description": "<script>mirror</script>"}])
def test_the_page_reflects_nothing_and_is_kept_by_nobody(listener: SignIn, outcome: dict[str, str]) -> None:
    """R14."""
    _, headers, page = browse(listener, good(listener.request, utm="<script>mirror</script>", **outcome))
    assert_safe(headers)
    for sent in ("code-of-the-user", listener.request.state, "mirror", "script"):
        assert sent not in page
        assert sent not in str(headers)


def test_a_wrong_answer_does_not_end_the_wait_and_is_counted(listener: SignIn) -> None:
    """R12: an attacker cannot cancel."""
    for _ in range(3):
        assert browse(listener, "/callback?error=access_denied&state=wrong")[0] == 400
    assert [getattr(error, "problem", "") for error in listener.refused] == ["mismatch"] * 3
    assert_still_waiting(listener)


def test_an_answer_that_was_pasted_before_is_not_taken_again(listener: SignIn) -> None:
    """R11: 410, and what was taken stays."""
    address = listener.request.redirect_uri.removesuffix("/callback") + good(listener.request)
    AuthorizationResponse.read(address, listener.request)
    assert browse(listener, good(listener.request, code="another"))[0] == 410
    assert "another" not in str(PendingAuthorization(listener.request.settings).load())


def test_wrong_answers_without_end_take_no_memory(listener: SignIn) -> None:
    """R52: the last few are kept, without the frames they came through."""
    for number in range(300):
        with pytest.raises(StateError, match="different value"):
            listener.paste(f"{listener.request.redirect_uri}?code=x{number}&state=wrong")
    assert len(listener.refused) == 5
    for error in listener.refused:
        assert (error.__traceback__, error.__context__) == (None, None)
    assert_still_waiting(listener)


def test_connections_that_trickle_are_few_and_end(listener: SignIn) -> None:
    """R52: a byte now and then keeps nobody busy: no thread each, few descriptors, and the browser is answered."""
    threads, before = set(threading.enumerate()), descriptors()
    open_ones = [socket.create_connection(("127.0.0.1", port_of(listener)), QUICK) for _ in range(200)]
    for connection in open_ones:
        with suppress(OSError):  # closed already: it had to give way
            connection.sendall(b"G")
    assert browse(listener, "/favicon.ico")[0] == 404
    assert set(threading.enumerate()) <= threads
    held = descriptors() - before - len(open_ones)
    assert held <= loopback.MOST_CONNECTIONS + 1
    assert_still_waiting(listener)
    for connection in open_ones:
        connection.close()


def test_a_request_that_never_ends_is_closed(listener: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """R52: the time is for the whole request, however often a byte comes."""
    monkeypatch.setattr(loopback, "SLOWEST_REQUEST", 0.2)
    with closing(socket.create_connection(("127.0.0.1", port_of(listener)), QUICK)) as slow:
        slow.settimeout(0.02)
        closed = False
        for _ in range(500):
            try:
                slow.sendall(b"X")
                closed = slow.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
    assert closed
    assert_still_waiting(listener)


def test_a_full_disk_costs_only_the_note(
    sent: AuthorizationRequest, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R52: the port is served and given back; who holds it is then not known to others."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    listener = listen(sent)
    browse(listener, good(sent))
    assert ended(listener)
    assert SignIn(sent).notice == ""


def test_without_a_thread_the_port_is_given_back(sent: AuthorizationRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """R52: and the address can still be pasted."""

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert "paste" in SignIn(sent).notice
    assert callback._sign_ins == {}
    assert SignIn(sent).notice == ""


def test_a_port_that_needs_rights_is_not_called_busy(
    sent: AuthorizationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    notice = SignIn(sent).notice
    assert "cannot be opened (Permission denied)" in notice
    assert "Another program" not in notice


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_for_localhost_nobody_else_can_have_one_of_the_addresses(sent: AuthorizationRequest, address: str) -> None:
    """R53: a browser may try either; another program on one of them would get the code."""
    request = replace(sent, redirect_uri=sent.redirect_uri.replace("127.0.0.1", "localhost"))
    port = urlsplit(sent.redirect_uri).port or 0
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.create_server((address, port), family=family)):
        assert f"Port {port} is not free" in SignIn(request).notice
    sign_in = SignIn(request)
    assert sign_in.notice == ""
    with pytest.raises(OSError, match="in use"):
        socket.create_server((address, port), family=family)


def test_of_many_answers_at_once_one_is_taken(listener: SignIn) -> None:
    """R11: the others are told so, or find the port closed."""
    barrier = threading.Barrier(12)
    statuses: list[int] = []

    def click() -> None:
        barrier.wait()
        with suppress(OSError, http.client.HTTPException):
            statuses.append(browse(listener, good(listener.request))[0])

    threads = [threading.Thread(target=click) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 410}


def test_it_gives_up_after_its_time(sent: AuthorizationRequest, listen: Listen) -> None:
    """R15."""
    listener = listen(sent, timeout=0.05)
    assert ended(listener)
    assert listener.status == "timed out"


def test_cancelling_twice_is_cancelling_once(sent: AuthorizationRequest, listen: Listen) -> None:
    seen: list[str] = []
    listener = listen(sent, on_change=lambda: seen.append(listener.status))
    listener.cancel()
    listener.cancel()
    assert seen == ["canceled"]
    with pytest.raises(ConnectionRefusedError):
        browse(listener, "/callback")


def test_a_sign_in_that_timed_out_stays_so(sent: AuthorizationRequest) -> None:
    late = SignIn(sent, timeout=0, listen=False)
    late.cancel()
    assert late.status == "timed out"


def test_after_the_answer_cancelling_changes_nothing(listener: SignIn) -> None:
    browse(listener, good(listener.request))
    assert listener.wait(QUICK)
    listener.cancel()
    assert listener.status == "answered"


def test_an_answer_that_beats_the_start_ends_it_too(
    sent: AuthorizationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: the browser may be faster than the last line of start()."""
    started = threading.Thread.start

    def start(self: threading.Thread) -> None:
        started(self)
        if self.name == "callback listener":
            browse(callback._sign_ins[urlsplit(sent.redirect_uri).port or 0], good(sent))
            self.join(QUICK)

    monkeypatch.setattr(threading.Thread, "start", start)
    listener = SignIn(sent)
    assert listener.status == "answered"
    with pytest.raises(ConnectionRefusedError):
        browse(listener, "/callback")


def test_a_hundred_listeners_leave_nothing_behind(
    sent: AuthorizationRequest, listen: Listen, capfd: pytest.CaptureFixture[str]
) -> None:
    """R15: no thread, no descriptor, no line of output, no note; by cancel and by answer."""
    assert cycles(listen, sent, 100) == ""
    assert callback._sign_ins == {}
    assert capfd.readouterr() == ("", "")


def test_the_default_port_of_http_is_not_named_by_browsers() -> None:
    """R13: for http://localhost the browser sends `Host: localhost`, without a port."""
    assert {"localhost", "localhost:80"} <= loopback.host_names(80)
    assert "localhost" not in loopback.host_names(8765)


def test_an_answer_does_not_wait_for_a_refresh(sent: AuthorizationRequest, listen: Listen) -> None:
    """A refresh may hold the token for a minute; the event loop of the listener must not wait that long."""
    listener = listen(sent)
    with TokenStore(sent.settings.folder).lock():
        assert "You allowed access" in browse(listener, good(sent))[2]
    assert listener.status == "answered"


def test_an_answer_that_cannot_be_kept_is_not_called_wrong(
    sent: AuthorizationRequest, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the answer: the page must not say that it is not."""
    listener = listen(sent)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(private_file, "rename_part", full)
        page = browse(listener, good(sent))[2]
    assert "could not be kept" in page
    assert "Not the answer" not in page
    assert "You allowed access" in browse(listener, good(sent))[2]


def test_a_sign_in_that_ends_at_that_moment_is_no_key_error(
    sent: AuthorizationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread removes it between two looks; the next one listens all the same."""

    class Vanishing(dict[int, SignIn]):
        def __contains__(self, port: object) -> bool:
            return True

    monkeypatch.setattr(callback, "_sign_ins", Vanishing())
    listener = SignIn(sent)
    assert listener.notice == ""
    listener.cancel()
