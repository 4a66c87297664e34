"""What is kept on disk: private, whole, and never overwritten in silence."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb
from types import SimpleNamespace
from typing import Any

import pytest
from client.machine import begin_refresh
from filelock import AcquireReturnProxy, FileLock

from redbooth_nb.client import private_file
from redbooth_nb.client.errors import StoreError
from redbooth_nb.client.private_file import PrivateFile, part_of
from redbooth_nb.client.register import save_credentials
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.configuration import Configuration

posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "redbooth.com" / "my-client-id"


@pytest.fixture
def store(folder: Path) -> TokenStore:
    return TokenStore(folder)


def token(access: str = "an-access-token", refresh: str | None = "a-refresh-token") -> Token:
    return Token.from_response({"access_token": access, "refresh_token": refresh, "expires_in": 7200}, 1000.0)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_saved_is_loaded(store: TokenStore) -> None:
    assert store.load() is None
    store.save(token())
    assert store.load() == token()
    store.forget()
    assert store.load() is None


def test_a_token_without_refresh_token_and_lifetime_is_kept_too(store: TokenStore) -> None:
    bare = Token.from_response({"access_token": "x"}, 5.0)
    store.save(bare)
    assert store.load() == bare


@posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_and_folders_are_private_from_the_first_moment(
    store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int
) -> None:
    """R33: seen while the file is written, also under umask 000; every folder the kit makes is 0700."""
    seen: list[tuple[str, int]] = []
    fsync = os.fsync

    def spy(handle: int) -> None:
        seen.extend((path.name, mode(path)) for path in store.folder.iterdir())
        seen.extend(
            (f"{path.name}/", mode(path)) for path in (store.folder, *store.folder.parents) if tmp_path in path.parents
        )
        fsync(handle)

    monkeypatch.setattr(os, "fsync", spy)
    with umask(mask), store.lock():
        begin_refresh(store, token())
        store.save(token())
    assert {name for name, _ in seen} >= {"token.json", "token.lock", "my-client-id/", "state/"}
    assert {found for name, found in seen if not name.endswith("/")} == {0o600}
    assert {found for name, found in seen if name.endswith("/")} == {0o700}


@posix
def test_a_write_is_synced_before_it_counts(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """R34: temporary file in the same folder, fsync, rename, fsync of the folder, in this order."""
    steps: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def note_fsync(handle: int) -> None:
        steps.append("fsync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "fsync file")
        fsync(handle)

    def note_replace(self: Path, target: Path) -> Path:
        steps.append(f"rename in {self.parent == target.parent}")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    store.save(token())
    assert steps == ["fsync file", "rename in True", "fsync folder"]


def test_a_reader_never_meets_half_a_file(store: TokenStore) -> None:
    """R34: while another thread replaces the token all the time."""
    store.save(token("token-0"))
    over = threading.Event()

    def rewrite() -> None:
        number = 0
        while not over.is_set():
            number += 1
            store.save(token(f"token-{number}" + "x" * (number % 7) * 1000))

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        found = [store.load() for _ in range(300)]
    finally:
        over.set()
        writer.join()
    assert all(one is not None and one.access_token.reveal().startswith("token-") for one in found)


def test_a_failed_write_keeps_the_old_and_leaves_nothing_behind(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(token())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"token\.json cannot be written \(No space left on device\)"):
            store.save(token("another"))
    assert store.load() == token()
    assert [path.name for path in store.folder.iterdir()] == ["token.json"]


def test_ctrl_c_after_the_new_token_reached_the_disk_does_not_lose_it(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R26: as a crash does not."""
    store.save(token("old"))
    begin_refresh(store, token("old"))
    fsync = os.fsync

    def interrupted(handle: int) -> None:
        fsync(handle)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.save(token("new"))
    with store.lock():
        assert store.load() == token("new")


def test_a_file_that_cannot_be_read_just_now_is_not_called_damaged(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(token("old"))

    def too_many(*_: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", too_many)
        with pytest.raises(StoreError, match="Too many open files"):
            store.check()  # before a code or refresh token is used up
        with pytest.raises(StoreError, match="Too many open files"):
            store.save(token("new"))
    assert store.load() == token("old")
    with store.lock():
        assert store.load() == token("new")  # it was on the disk before the old file was looked at
    assert sorted(path.name for path in store.folder.iterdir()) == ["token.json", "token.lock"]


def test_no_secret_is_in_the_frames_of_a_mark_that_cannot_be_written(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(token("canary-access"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        begin_refresh(store, token("canary-access"))
    assert [frame for frame in walk_tb(caught.tb) if "canary-access" in repr(frame[0].f_locals)] == []


@posix
@pytest.mark.parametrize("access", ["load", "save", "check"])
def test_a_link_is_refused(store: TokenStore, tmp_path: Path, access: str) -> None:
    """R35: neither read nor written through, even where it leads to a good file."""
    store.save(token())
    aside = tmp_path / "elsewhere.json"
    store.path.rename(aside)
    store.path.symlink_to(aside)
    content = aside.read_text()
    with pytest.raises(StoreError, match="is a link to another file") as caught:
        {"load": store.load, "save": lambda: store.save(token("x")), "check": store.check}[access]()
    assert "Remove the link" in caught.value.remedy
    assert aside.read_text() == content
    assert store.path.is_symlink()


@posix
@pytest.mark.parametrize("wide", [0o640, 0o604, 0o660, 0o666])
@pytest.mark.parametrize("access", ["load", "save", "check"])
def test_a_file_that_others_can_read_is_refused(store: TokenStore, wide: int, access: str) -> None:
    """R35: with the fix in the words; after it, all is well."""
    store.save(token())
    store.path.chmod(wide)
    with pytest.raises(StoreError, match="can be read by others") as caught:
        {"load": store.load, "save": lambda: store.save(token("x")), "check": store.check}[access]()
    assert f"chmod 600 {store.path}" in caught.value.remedy
    store.path.chmod(0o600)
    assert store.load() == token()


@posix
def test_a_file_of_somebody_else_is_refused(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """R35."""
    store.save(token())
    monkeypatch.setattr(os, "getuid", lambda: store.path.stat().st_uid + 1)
    with pytest.raises(StoreError, match="belongs to another user"):
        store.load()


DAMAGED = {
    "empty": b"",
    "half": b'{"format": 1, "access_tok',
    "not UTF-8": b"\xff\xfe\x00",
    "very deep": b"[" * 50_000,
    "a list": b"[]",
    "no format": b'{"access_token": "x"}',
    "format is a word": b'{"format": "one", "access_token": "x"}',
}
NO_TOKEN = {
    "no token": b'{"format": 1}',
    "wrong type": b'{"format": 1, "access_token": 5, "obtained_at": 1}',
    "no time": b'{"format": 1, "access_token": "x"}',
    "time is a word": b'{"format": 1, "access_token": "x", "obtained_at": "soon"}',
}
NEWER = {"newer": b'{"format": 2, "access_token": "x", "obtained_at": 1}'}


def put(store: TokenStore, content: bytes) -> None:
    store.folder.mkdir(parents=True)
    store.path.touch(mode=0o600)
    store.path.write_bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        *((content, "is damaged") for content in DAMAGED.values()),
        *((content, "contains no token") for content in NO_TOKEN.values()),
        *((content, "is damaged, or was written by a newer redbooth-nb") for content in NEWER.values()),
    ],
    ids=[*DAMAGED, *NO_TOKEN, *NEWER],
)
def test_a_file_that_makes_no_sense_is_named_and_kept(store: TokenStore, content: bytes, said: str) -> None:
    """R36: a named error with a way on, and the file stays as it is."""
    put(store, content)
    with pytest.raises(StoreError, match=f"token.json {said}") as caught:
        store.load()
    assert caught.value.remedy
    assert store.path.read_bytes() == content


USELESS = DAMAGED | NEWER | NO_TOKEN


@pytest.mark.parametrize("content", USELESS.values(), ids=USELESS)
def test_a_file_that_makes_no_sense_is_kept_aside_when_a_new_one_comes(store: TokenStore, content: bytes) -> None:
    """R36: never overwritten in silence, and the new token is not lost either."""
    put(store, content)
    store.save(token())
    assert store.load() == token()
    assert store.path.with_name("token.json.damaged").read_bytes() == content
    if sys.platform != "win32":
        assert mode(store.path.with_name("token.json.damaged")) == 0o600


@pytest.mark.parametrize("content", [*DAMAGED.values(), *NEWER.values()], ids=[*DAMAGED, *NEWER])
def test_a_whole_new_token_beside_a_damaged_file_is_put_in_place(store: TokenStore, content: bytes) -> None:
    """R26, R36: of two crashes neither costs the token, and the damaged file is kept aside."""
    store.save(token("new"))
    store.path.rename(part_of(store.path))
    store.path.touch(mode=0o600)
    store.path.write_bytes(content)
    with store.lock():
        assert store.load() == token("new")
    assert store.path.with_name("token.json.damaged").read_bytes() == content


def test_one_damaged_file_does_not_overwrite_another(store: TokenStore) -> None:
    """R36: the second is kept beside the first."""
    put(store, b"first")
    store.save(token())
    store.path.write_bytes(b"second")
    store.save(token())
    assert {path.read_bytes() for path in store.folder.glob("token.json.damaged*")} == {b"first", b"second"}


def test_a_refresh_under_way_is_seen_until_it_is_saved(store: TokenStore) -> None:
    """R26: the note is in the token's own file, so the new token and the end of the note are one write."""
    store.save(token("old"))
    assert not store.interrupted()
    begin_refresh(store, token("old"))
    assert store.interrupted()
    assert store.load() == token("old")
    store.save(token("new"))
    assert not store.interrupted()


def test_only_a_new_token_is_recovered(store: TokenStore) -> None:
    """R26: a crash while the note was written leaves the old token in a temporary file; that is no answer."""
    begin_refresh(store, token("old"))
    note = part_of(store.path)
    note.write_bytes(store.path.read_bytes())
    note.chmod(0o600)
    with store.lock():
        assert store.interrupted()
    store.save(token("old"))
    with store.lock():
        assert not store.interrupted()


def test_what_killed_writes_left_goes_with_the_next(store: TokenStore) -> None:
    """The leftover of a write holds a code, a verifier or a token."""
    file = PrivateFile(store.folder / "authorization.json")
    for change in (lambda: file.write({"state": "x"}), file.remove):
        store.folder.mkdir(parents=True, exist_ok=True)
        file.part.write_text("{}")
        change()
        assert not file.part.exists()
    assert list(store.folder.iterdir()) == []


@posix
def test_a_folder_where_locks_have_no_effect_is_named(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on some network drives: trusting such a lock would cost the refresh token."""
    monkeypatch.setattr("fcntl.flock", lambda *_: None)
    with pytest.raises(StoreError, match="cannot be used") as caught, store.lock():
        pytest.fail("it was trusted")
    assert "REDBOOTH_STATE_DIR" in caught.value.remedy


def test_a_wait_for_the_lock_ends_in_time_wherever_it_is_spent(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waited for a thread of its own process has less time left for other processes."""
    clock = iter([0.0, 99.0])
    monkeypatch.setattr(private_file, "time", SimpleNamespace(monotonic=clock.__next__))
    waited: list[float | None] = []
    acquire = FileLock.acquire

    def noted(lock: FileLock, timeout: float | None = None, **options: float) -> AcquireReturnProxy:
        waited.append(timeout)
        return acquire(lock, 0, **options)

    monkeypatch.setattr(FileLock, "acquire", noted)
    with private_file.locked(store.folder / "token.lock"):
        assert waited[0] == 1


def test_one_thread_at_a_time(store: TokenStore) -> None:
    inside = threading.Semaphore(1)
    wrong: list[bool] = []

    def work() -> None:
        with TokenStore(store.folder).lock():
            if not inside.acquire(blocking=False):
                wrong.append(True)
            store.save(token())
            inside.release()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def hold(store: TokenStore) -> subprocess.Popen[str]:
    """Hold the store in another process until its input is closed."""
    script = (
        "import sys; from pathlib import Path; from redbooth_nb.client.token import TokenStore\n"
        "with TokenStore(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(store.folder)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_another_process_is_waited_for_and_then_named(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_file, "LOCK_SECONDS", 0.2)
    with hold(store) as child:
        with pytest.raises(StoreError, match="is using the files"), store.lock():
            pytest.fail("both hold it")
        child.communicate()
    with store.lock():
        store.save(token())
    assert store.load() == token()


def test_another_thread_is_waited_for_and_then_named(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_file, "LOCK_SECONDS", 0.2)
    failures: list[StoreError] = []

    def try_it() -> None:
        try:
            with store.lock():
                pass
        except StoreError as error:
            failures.append(error)

    with store.lock():
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert len(failures) == 1


def test_of_many_threads_only_one_polls_the_file(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's lock cannot wake who waits for it: a thousand threads that ask again and again leave time for no one."""
    asking: list[object] = []
    most: list[int] = []

    real = FileLock.acquire

    def acquire(lock: FileLock, timeout: float | None = None, poll_interval: float = 0.02) -> AcquireReturnProxy:
        asking.append(lock)
        most.append(len(asking))
        try:
            return real(lock, timeout, poll_interval)
        finally:
            asking.remove(lock)

    monkeypatch.setattr(FileLock, "acquire", acquire)
    start = threading.Barrier(20)

    def take_turns() -> None:
        start.wait()
        for _ in range(5):
            with store.lock():
                pass

    threads = [threading.Thread(target=take_turns) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 200, "each asks once, and once more to see that locks work"
    assert max(most) == 1


def test_a_dead_process_leaves_no_lock_behind(store: TokenStore) -> None:
    with hold(store) as child:
        child.kill()
        child.wait()
    with store.lock():
        store.save(token())
    assert store.load() == token()


@posix
def test_a_new_token_is_not_lost_because_others_can_read_the_old_file(store: TokenStore) -> None:
    store.save(token("old"))
    store.path.chmod(0o644)
    with pytest.raises(StoreError, match="can be read by others"):
        store.save(token("new"))
    store.path.chmod(0o600)
    with store.lock():
        assert store.load() == token("new")


@pytest.mark.parametrize("place", ["thread", "file"])
def test_ctrl_c_just_after_a_lock_was_taken_leaves_it_free(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """As the interpreter handles it between the call that takes a lock and the next instruction."""

    class Interrupted:
        def __init__(self) -> None:
            self.own = threading.RLock()

        def acquire(self, **options: float) -> bool:
            self.own.acquire(**options)
            raise KeyboardInterrupt

        def __getattr__(self, name: str) -> object:
            return getattr(self.own, name)

    def acquire(lock: FileLock, *args: float, **options: float) -> None:
        own(lock, *args, **options)
        raise KeyboardInterrupt

    own, key = FileLock.acquire, (os.getpid(), store.folder / "token.lock")
    with monkeypatch.context() as interrupting:
        if place == "thread":
            threads = Interrupted()
            interrupting.setitem(private_file._threads, key, threads)
        else:
            interrupting.setattr(FileLock, "acquire", acquire)
        with pytest.raises(KeyboardInterrupt), store.lock():
            pass
        if place == "thread":
            assert not threads.own._is_owned()  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as another:
        another.submit(store.lock().__enter__).result()


def test_a_thread_that_holds_the_lock_is_told_so_at_once(store: TokenStore) -> None:
    with store.lock(), pytest.raises(StoreError, match="already holds the lock"), store.lock():
        pass


def test_an_error_under_the_lock_is_itself_and_the_lock_is_free(store: TokenStore) -> None:
    with pytest.raises(ZeroDivisionError), store.lock():
        raise ZeroDivisionError
    with pytest.raises(OSError, match="of the body"), store.lock():
        raise OSError("of the body")
    with store.lock():
        pass


def test_one_program_at_a_time_saves_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    monkeypatch.setattr(private_file, "LOCK_SECONDS", 0.2)
    values = ("0a" * 32, "1b" * 32)
    lock = private_file.locked(Configuration.read().state_dir / "credentials.lock")
    with lock, ThreadPoolExecutor(1) as another, pytest.raises(StoreError, match="is using the files"):
        another.submit(save_credentials, *values).result()
    assert save_credentials(*values).client_id == values[0]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = TokenStore(tmp_path / "file" / "app")
    for access in (lambda: store.save(token()), lambda: store.lock().__enter__()):
        with pytest.raises(StoreError, match="app"):
            access()


def test_a_content_is_written_with_its_format(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "new" / "file.json")
    content: dict[str, Any] = {"text": "\u00e9\u4e2d\U0001f511", "number": 1, "nothing": None}
    file.write(content)
    assert file.read() == {"format": 1, **content}
    assert json.loads(file.path.read_text(encoding="utf-8"))["format"] == 1


def test_a_new_token_whose_rename_fails_is_put_in_place_later(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R26: the service has replaced the old one, and the new one is complete on the disk; it is not thrown away."""
    store.save(token("old"))
    begin_refresh(store, token("old"))

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", forbidden)
        with pytest.raises(StoreError, match="Permission denied") as caught:
            store.save(token("new"))
        with pytest.raises(StoreError, match="Permission denied"), store.lock():
            pytest.fail("the next refresh would write over it")
    assert "authorize again" in caught.value.remedy
    with store.lock():
        assert store.load() == token("new")
    assert sorted(path.name for path in store.folder.iterdir()) == ["token.json", "token.lock"]


@pytest.mark.parametrize("before", [None, "old"])
def test_a_token_of_an_exchange_that_was_not_renamed_is_put_in_place_later(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    """An exchange marks nothing: where there is no token, or an older one, the temporary file holds its answer."""
    if before:
        store.save(token(before))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            store.save(replace(token("new"), obtained_at=1001.0))
    assert part_of(store.path).exists()
    with store.lock():
        assert store.require().access_token.reveal() == "new"
    assert not part_of(store.path).exists()


def test_a_file_held_open_for_a_moment_is_replaced_after_it(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, while another thread reads it."""
    refusals, rename = iter([True, True]), Path.replace

    def held(self: Path, target: Path) -> Path:
        if next(refusals, False):
            raise PermissionError(13, "Access is denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", held)
    store.save(token())
    assert store.load() == token()


@posix
def test_a_folder_that_cannot_be_synced_is_no_failure(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network drives say so; the file was replaced, and an error would deny it."""
    fsync = os.fsync

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    store.save(token())
    assert store.load() == token()


@posix
def test_a_pipe_in_place_of_the_file_is_refused(store: TokenStore) -> None:
    """Opening it would wait forever."""
    store.folder.mkdir(parents=True)
    os.mkfifo(store.path, 0o600)
    for access in (store.load, lambda: store.save(token()), store.check):
        with pytest.raises(StoreError, match="is not a regular file"):
            access()


@pytest.mark.parametrize("call", ["forget", "mark"])
def test_a_file_that_cannot_be_deleted_is_named(store: TokenStore, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    store.save(token())
    part_of(store.path).touch(mode=0o600)

    def held(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(StoreError, match=r"cannot be written \(Permission denied\)"):
        store.forget() if call == "forget" else begin_refresh(store, token())
