"""A machine of its own for a test, and a server on it that misbehaves as it is told."""

import os
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from redbooth_nb import secret
from redbooth_nb.client import callback
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.provider import delivery
from redbooth_nb.provider.delivery import EmbeddedSandbox, current_provider
from redbooth_nb.traffic.transcript import transcript

CLIENT_ID = "c1" * 32
CLIENT_SECRET = "5e" * 32
UNWANTED = ("REDBOOTH_", "OAUTHLIB_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC")


@contextmanager
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep the real environment out; afterwards stop what was started. Yields the working directory."""
    for name in list(os.environ):
        if name.upper().startswith(UNWANTED):
            monkeypatch.delenv(name)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".env.example").touch()  # here the search for a .env ends
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REDBOOTH_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(delivery, "_running", {})
    transcript._round_trips.clear()
    secret._known.clear()
    yield folder
    assert not [name for name in os.environ if name.startswith("OAUTHLIB_")]  # claim R7: nothing of the kit sets them
    for listener in list(callback._sign_ins.values()):
        listener.cancel()
    for provider in delivery._running.values():
        if isinstance(provider, EmbeddedSandbox):
            provider.sandbox.stop()


def begin_refresh(store: TokenStore, token: Token) -> None:
    """Mark a token as about to be refreshed, and come to no end, as in a crash."""
    store.refreshing(token).__enter__()


def save_registered(client_id: str, client_secret: str, redirect_uri: str) -> Settings:
    """Register an app with these values in the sandbox, and save them."""
    provider = current_provider()
    assert isinstance(provider, EmbeddedSandbox)
    provider.sandbox.seed_application("My app", redirect_uri, client_id=client_id, client_secret=client_secret)
    return save_credentials(client_id, client_secret, redirect_uri)


def unused_port() -> int:
    """Return a port that nobody uses, nor will before the test does.

    Below those that systems hand out by themselves, or another test's connection could have it a moment later.
    """
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


RESET, SILENT = b"<reset>", b"<silent>"
TRICKLE = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{<trickle>"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n<endless>"


def reply(status: int, body: str, kind: str = "application/json", length: int | None = None, **headers: str) -> bytes:
    """Return an HTTP answer as it goes over the wire."""
    content = body.encode()
    lines = [f"HTTP/1.1 {status} Said So", f"Content-Length: {len(content) if length is None else length}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content


class FaultyServer(ThreadingTCPServer):
    """Answers every request with the bytes in `answers`, the last one for ever; those to `/clock` with `clock`.

    RESET, SILENT, TRICKLE and ENDLESS do what they say. `received` holds what was asked.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Faulty)
        self.answers: list[bytes] = [reply(200, "{}")]
        self.clock = reply(404, "")
        self.received: list[dict[str, Any]] = []
        self.over = threading.Event()

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[FaultyServer]":
        """Serve in the background."""
        server = cls()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Faulty(StreamRequestHandler):
    server: FaultyServer

    def handle(self) -> None:
        method, path, _ = self.rfile.readline().decode().split(" ")
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = self.rfile.read(int(headers.get("content-length", "0"))).decode()
        if path == "/clock":
            answer = self.server.clock
        else:
            asked = {"method": method, "path": path, "headers": headers, "body": body, "fields": dict(parse_qsl(body))}
            self.server.received.append(asked)
            answers = self.server.answers
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == SILENT:
            self.server.over.wait(20)
        elif answer == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif answer in {TRICKLE, ENDLESS}:
            head, _, _ = answer.partition(b"<")
            self.wfile.write(head)
            with suppress(OSError):  # until the client hangs up
                while not self.server.over.wait(0.05 if answer == TRICKLE else 0):
                    self.wfile.write(b" " if answer == TRICKLE else b" " * 65_536)
        else:
            with suppress(OSError):
                self.wfile.write(answer)
