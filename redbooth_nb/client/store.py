"""The token on disk, and the lock that makes refreshes happen one at a time.

One folder for each provider and client id, so a token is only ever sent to the service that gave it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from redbooth_nb.client.errors import failure
from redbooth_nb.client.private_file import PrivateFile, StoreError
from redbooth_nb.client.token import Token
from redbooth_nb.configuration import make_private
from redbooth_nb.errors import RedboothError, only_kit_errors

if TYPE_CHECKING:
    from filelock import BaseFileLock

# longer than the slowest refresh: 5 to connect, 30 for the first byte, 20 for the rest, 30 for the last
LOCK_SECONDS = 90


class TokenStore:
    """The token of one app at one provider, and the lock that makes refreshes happen one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = PrivateFile(folder / "token.json")
        self._marker = PrivateFile(folder / "refreshing.json")
        self._thread_lock = _thread_lock(folder)

    @property
    def path(self) -> Path:
        """The file the token is kept in."""
        return self._file.path

    @only_kit_errors
    def load(self) -> Token | None:
        """Return the token, or None when there is none. Raises StoreError."""
        content = self._file.read()
        try:
            return Token.from_answer(content, float(content["obtained_at"])) if content else None
        except (RedboothError, KeyError, TypeError, ValueError, OverflowError):
            raise failure(StoreError, "store", "no_token", path=self.path, name=self.path.name) from None

    @only_kit_errors
    def save(self, token: Token) -> None:
        """Keep the token; when this returns it is on the disk. Raises StoreError; the old one stays."""
        self._file.write(token.reveal())
        self._marker.remove()

    @only_kit_errors
    def check(self) -> None:
        """Raise StoreError when the file is one that `save` would refuse to replace."""
        self._file.check()

    @only_kit_errors
    def forget(self) -> None:
        """Delete the token, for example after it was revoked."""
        self._file.remove()
        self._marker.remove()

    def mark_refresh(self, token: Token) -> None:
        """Note on disk that `token` is about to be refreshed, so that a crash before `save` is noticed later."""
        for left in self._file.unfinished():  # so that any found after a crash comes from this refresh
            left.unlink(missing_ok=True)
        self._marker.write({"access_token_fingerprint": token.access_token.fingerprint})

    def unmark(self) -> None:
        """Take the note back: the service refused, so no answer can have been lost."""
        self._marker.remove()

    def interrupted(self) -> bool:
        """Whether a refresh of the stored token was begun and never saved: its answer may be lost."""
        token = self.load()
        try:
            mark = (self._marker.read() or {}).get("access_token_fingerprint")
        except StoreError:
            return token is not None  # it cannot be read, so it may be about this token
        return token is not None and mark == token.access_token.fingerprint

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store alone, among all threads and processes. Raises StoreError after 90 seconds for each."""
        if not self._thread_lock.acquire(timeout=LOCK_SECONDS):
            raise self._busy()
        try:
            file_lock = self._lock_file()
            try:
                self._recover()
                yield
            finally:
                file_lock.release()
        finally:
            self._thread_lock.release()

    @only_kit_errors
    def _lock_file(self) -> "BaseFileLock":
        from filelock import FileLock, Timeout  # slow to import, and most programs only read

        path = self.folder / "token.lock"
        try:
            make_private(self.folder)
            PrivateFile(path).check()  # a link planted there would lead elsewhere
            file_lock = FileLock(path, timeout=LOCK_SECONDS, mode=0o600)
            file_lock.acquire()
            try:  # a second lock has to fail; if it succeeds, locks have no effect on this file system
                FileLock(path, timeout=0, mode=0o600).acquire()
            except Timeout:
                return file_lock
            file_lock.release()
            raise self._unusable("locks have no effect there, as on some network drives")
        except Timeout:
            raise self._busy() from None
        except (OSError, NotImplementedError) as error:
            raise self._unusable(getattr(error, "strerror", None) or "it supports no locks") from None

    @only_kit_errors
    def _recover(self) -> None:
        """Under the lock, put a token in place that was written, but not yet renamed, when a refresh was cut off."""
        try:
            cut_off = self.interrupted()
        except StoreError:
            return  # the next read reports what is wrong with the file
        for left in self._file.unfinished() if cut_off else []:
            try:
                content = json.loads(left.read_bytes())
                token = Token.from_answer(content, float(content["obtained_at"]))
            except (
                RedboothError,
                OSError,
                ValueError,
                KeyError,
                TypeError,
                AttributeError,
                RecursionError,
                OverflowError,
            ):
                continue  # half a token is none
            self.save(token)
            left.unlink(missing_ok=True)

    def _busy(self) -> StoreError:
        return failure(StoreError, "store", "busy", folder=self.folder, seconds=LOCK_SECONDS)

    def _unusable(self, reason: str) -> StoreError:
        return failure(StoreError, "store", "unusable", folder=self.folder, reason=reason)


_locks: dict[Path, threading.Lock] = {}
_locks_lock = threading.Lock()


def _thread_lock(folder: Path) -> threading.Lock:
    # one queue for each process in front of the file lock, which polls
    with _locks_lock:
        return _locks.setdefault(folder, threading.Lock())
