"""What a disk can do to a token: full, read-only, closed, cut short, changed, linked elsewhere, of another time."""

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest
from client.machine import CLIENT_ID, CLIENT_SECRET, FaultyServer, own_machine, reply

from redbooth_nb.client import private_file
from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import StoreError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.private_file import PrivateFile
from redbooth_nb.client.refresh import RedboothSession, refresh
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore

posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes and links are POSIX")
FIRST = {"access_token": "first-access", "refresh_token": "first-refresh", "expires_in": 7200}
NEXT = {"access_token": "next-access", "refresh_token": "next-refresh", "expires_in": 7200, "token_type": "bearer"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """Serve as the current provider, on a machine of the test's own; it gives the next token."""
    with own_machine(tmp_path, monkeypatch), FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
        server.answers = [reply(200, json.dumps(NEXT))]
        yield server


@pytest.fixture
def settings(server: FaultyServer) -> Settings:
    """Return an app with a token in its store."""
    del server
    made = save_credentials(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1:8765/callback")
    TokenStore(made.folder).save(Token.from_response(FIRST, made.provider.now()))
    return made


def stored(settings: Settings) -> str:
    token = TokenStore(settings.folder).load()
    assert token is not None
    return token.access_token.reveal()


# -- full, read-only, closed --------------------------------------------------------------------------------------


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def opened_by(write: Callable[..., Any]) -> Callable[..., IO[bytes]]:
    """Return an `open` whose files are written to by `write`."""

    def opened(*given: Any, **options: Any) -> IO[bytes]:  # noqa: ANN401
        file: IO[bytes] = open(*given, **options)  # noqa: PTH123, SIM115
        file.write = write  # type: ignore[method-assign]
        return file

    return opened


CALLS: dict[str, Callable[[pytest.MonkeyPatch, int], None]] = {
    "a new file": lambda patch, number: patch.setattr(private_file, "open", failing(number), raising=False),
    "write": lambda patch, number: patch.setattr(private_file, "open", opened_by(failing(number)), raising=False),
    "fsync": lambda patch, number: patch.setattr(os, "fsync", failing(number)),
    "rename": lambda patch, number: patch.setattr(Path, "replace", failing(number)),
}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT], ids=os.strerror)
@pytest.mark.parametrize("call", CALLS)
def test_whatever_call_fails_the_token_stays_and_nothing_is_sent(
    server: FaultyServer, settings: Settings, call: str, number: int
) -> None:
    """R26, R34: the note of the refresh is written first, so a disk that fails is met before the token is spent."""
    with pytest.MonkeyPatch.context() as patch:
        CALLS[call](patch, number)
        with pytest.raises(StoreError, match=os.strerror(number)) as caught:
            refresh(settings)
    assert caught.value.remedy
    assert server.received == []
    assert stored(settings) == "first-access"
    left = [".token.json.part"] if call == "rename" else []  # complete, with the mark: never taken for an answer
    assert sorted(path.name for path in settings.folder.iterdir()) == [*left, "token.json", "token.lock"]
    assert refresh(settings).access_token.reveal() == "next-access"


def test_a_code_is_not_spent_where_the_disk_is_full(server: FaultyServer, settings: Settings) -> None:
    """R37: the record of the authorization is written before the code is sent."""
    request = AuthorizationRequest.new(settings)
    answer = AuthorizationResponse.read(f"{request.redirect_uri}?code=x&state={request.state}", request)
    with pytest.MonkeyPatch.context() as patch:
        CALLS["write"](patch, errno.ENOSPC)
        with pytest.raises(StoreError, match="No space left"):
            exchange(answer)
    assert server.received == []
    assert exchange(answer).access_token.reveal() == "next-access"


def test_a_token_stays_where_only_the_save_fails(server: FaultyServer, settings: Settings) -> None:
    """R27: the disk filled up while the answer travelled. It is not used; the old one stays, and the mark with it."""
    opens = iter([open])
    with pytest.MonkeyPatch.context() as patch:

        def opened(*given: Any, **options: Any) -> Any:  # noqa: ANN401
            return next(opens, opened_by(failing(errno.ENOSPC)))(*given, **options)

        patch.setattr(private_file, "open", opened, raising=False)
        with pytest.raises(StoreError, match="No space left"):
            refresh(settings)
    assert len(server.received) == 1
    assert stored(settings) == "first-access"
    assert TokenStore(settings.folder).interrupted()


@contextmanager
def disk(size: str) -> Iterator[Path]:
    """Mount a small disk of its own, where that is allowed."""
    folder = Path(tempfile.mkdtemp(prefix="redbooth-nb-disk-"))
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
        folder.rmdir()
        pytest.skip("mounting a disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607
        folder.rmdir()


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_disk_that_is_really_full(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a real one: no call is replaced."""
    with disk("64k") as folder:
        monkeypatch.setenv("REDBOOTH_STATE_DIR", str(folder / "state"))
        settings = save_credentials(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1:8765/callback")
        TokenStore(settings.folder).save(Token.from_response(FIRST, settings.provider.now()))
        fill(folder / "filler")
        with pytest.raises(StoreError, match="No space left on device"):
            refresh(settings)
        assert server.received == []
        assert stored(settings) == "first-access"
        (folder / "filler").unlink()
        assert refresh(settings).access_token.reveal() == "next-access"


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_disk_that_is_really_read_only(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls still work as long as the token does; a refresh is refused before anything is sent."""
    with disk("64k") as folder:
        monkeypatch.setenv("REDBOOTH_STATE_DIR", str(folder / "state"))
        settings = save_credentials(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1:8765/callback")
        TokenStore(settings.folder).save(Token.from_response(FIRST, settings.provider.now()))
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)  # noqa: S603, S607
        with pytest.raises(StoreError, match="Read-only file system"):
            refresh(settings)
        assert server.received == []
        server.answers = [reply(200, "{}")]
        assert RedboothSession(settings).get("/me").ok
        with pytest.raises(StoreError, match="Read-only file system"):
            AuthorizationRequest.new(settings)


# -- links --------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("name", ["token.json", "token.lock", "authorization.json"])
def test_a_link_planted_in_place_of_any_file_is_not_followed(
    server: FaultyServer, settings: Settings, tmp_path: Path, name: str
) -> None:
    """R35: the file it leads to is neither read, written nor emptied, and nothing is sent."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    precious.chmod(0o600)
    (settings.folder / name).unlink(missing_ok=True)
    (settings.folder / name).symlink_to(precious)
    with pytest.raises(StoreError, match=f"{name} is a link"):
        AuthorizationRequest.new(settings) if name == "authorization.json" else refresh(settings)
    assert precious.read_text() == "precious"
    assert server.received == []


@posix
@pytest.mark.parametrize("name", ["token.lock", "authorization.json"])
def test_the_other_files_must_be_private_too(server: FaultyServer, settings: Settings, name: str) -> None:
    """R35: the record of the authorization holds the code and the verifier."""
    AuthorizationRequest.new(settings)
    (settings.folder / "token.lock").touch(mode=0o600)
    (settings.folder / name).chmod(0o644)
    with pytest.raises(StoreError, match=f"{name} can be read by others") as caught:
        PendingAuthorization(settings).load() if name == "authorization.json" else refresh(settings)
    assert "chmod 600" in caught.value.remedy
    assert server.received == []


@posix
def test_a_folder_that_was_closed_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its permission was changed: not a missing token, which would send the user to authorize again."""
    monkeypatch.setattr(Path, "lstat", failing(errno.EACCES))
    with pytest.raises(StoreError, match=r"cannot be read \(Permission denied\)"):
        TokenStore(settings.folder).load()


# -- cut short, of another time -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["token.json", "authorization.json"])
def test_a_file_cut_short_anywhere_is_named_and_kept(settings: Settings, name: str) -> None:
    """R36: at every byte; what a power cut or a full disk leaves of a file that another program copied."""
    AuthorizationRequest.new(settings, pkce=True)
    path = settings.folder / name
    whole = path.read_bytes()
    load = TokenStore(settings.folder).load if name == "token.json" else PendingAuthorization(settings).load
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=f"{name} is damaged"):
            load()
        assert path.read_bytes() == whole[:length]
    path.write_bytes(whole)
    assert load()


def test_an_older_format_is_read(tmp_path: Path) -> None:
    """Whoever raises FORMAT finds here what must go on working: the first one."""
    path = tmp_path / "token.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"format": 1, **FIRST, "obtained_at": 1.0}))
    token = TokenStore(tmp_path).load()
    assert token is not None
    assert token.access_token.reveal() == "first-access"


def test_a_newer_format_survives_a_new_token(tmp_path: Path) -> None:
    """R36: the older kit keeps the newer one's file beside its own."""
    newer = json.dumps({"format": 99, "vault": "of tomorrow"})
    PrivateFile(tmp_path / "token.json").write({})
    (tmp_path / "token.json").write_text(newer)
    with pytest.raises(StoreError, match="newer redbooth-nb"):
        TokenStore(tmp_path).load()
    TokenStore(tmp_path).save(Token.from_response(FIRST, 1))
    assert (tmp_path / "token.json.damaged").read_text() == newer
