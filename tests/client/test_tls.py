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
from client.machine import CLIENT_ID, CLIENT_SECRET, FaultyServer

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import CodeAlreadySent, TransportError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession, refresh
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore


@pytest.fixture
def no_tls(faulty: FaultyServer) -> str:
    """Return the https address of a server that does not speak TLS."""
    return faulty.origin.replace("http:", "https:")


def own_certificate(folder: Path, name: str) -> ssl.SSLContext:
    """Return what a server of that name needs, with a certificate that nobody has signed; it is in certificate.pem."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("making a certificate needs openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=a server", "-addext", f"subjectAltName={name}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, *files]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[str]:
    """Return the address of a server whose certificate nobody has signed."""
    context = own_certificate(tmp_path, "IP:127.0.0.1")
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


@pytest.mark.parametrize("refuses", [True, False])
@pytest.mark.usefixtures("machine")
def test_behind_a_proxy_a_code_counts_as_sent_only_if_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuses: bool
) -> None:
    """R17: the proxy refuses to connect, or the server behind it reads the code and hangs up."""
    context, heard = own_certificate(tmp_path, "DNS:redbooth.com"), list[bytes]()
    proxy = create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = proxy.accept()
        with suppress(OSError), line:
            assert line.recv(65_536).startswith(b"CONNECT redbooth.com:443 ")
            line.sendall(b"HTTP/1.1 407 Who are you\r\n\r\n" if refuses else b"HTTP/1.1 200 OK\r\n\r\n")
            if not refuses:
                with context.wrap_socket(line, server_side=True) as secure:
                    while (part := secure.recv(65_536)) and b"code=the-code" not in part:
                        heard.append(part)
                    heard.append(part)

    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
    request = AuthorizationRequest.new(save_credentials(CLIENT_ID, CLIENT_SECRET))
    answer = AuthorizationResponse.read(f"{request.redirect_uri}?code=the-code&state={request.state}", request)
    with proxy:
        for _ in range(2 if refuses else 1):
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            with pytest.raises(TransportError, match="did not get through the proxy") as caught:
                exchange(answer)
            thread.join(10)
            assert caught.value.sent is not refuses
    assert (b"code=the-code" in b"".join(heard)) is not refuses
    if not refuses:
        with pytest.raises(CodeAlreadySent):
            exchange(answer)
