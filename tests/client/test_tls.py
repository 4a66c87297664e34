"""A connection that cannot be trusted: nothing is sent over it, on either leg."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server

import pytest
from client.machine import FaultyServer

from redbooth_nb.client.errors import TransportError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession, refresh
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore


@pytest.fixture
def no_tls(faulty: FaultyServer) -> str:
    """Return the https address of a server that does not speak TLS."""
    return faulty.origin.replace("http:", "https:")


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[str]:
    """Return the address of a server whose certificate nobody has signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("making a certificate needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, *files]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with suppress(OSError), line, context.wrap_socket(line, server_side=True) as secure:
                    heard.append(secure.recv(65_536))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(2)
    listening.close()
    thread.join(10)
    assert b"".join(heard) == b""  # not a byte of a request came through


@pytest.mark.parametrize("server", ["no_tls", "stranger"])
def test_a_server_that_is_not_trusted_gets_nothing(
    server: str, request: pytest.FixtureRequest, allowed: AuthorizationResponse, stored: Token, faulty: FaultyServer
) -> None:
    """R17, R21: the leg and the reason are named, the token stays, and there is no way to turn the check off."""
    settings: Settings = allowed.request.settings
    settings.provider.origin = request.getfixturevalue(server)  # type: ignore[misc]
    legs = {"exchange": lambda: exchange(allowed), "refresh": lambda: refresh(settings)}
    for leg, call in legs.items():
        with pytest.raises(TransportError, match=f"^{leg}: POST .*the secure connection could not be made") as caught:
            call()
        assert "clock" in caught.value.remedy
        assert caught.value.sent == (server == "no_tls")  # with a bad certificate it is certain that nothing was
    assert TokenStore(settings.folder).interrupted() == (server == "no_tls")
    with pytest.raises(TransportError, match="secure connection"):
        RedboothSession(settings).get("/me")
    assert TokenStore(settings.folder).load() == stored
    assert faulty.received == []
