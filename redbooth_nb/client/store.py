"""The token on disk, and the lock that makes refreshes happen one at a time.

One folder for each provider and client id, so a token is only ever sent to the service that gave it.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from redbooth_nb.client.errors import failure
from redbooth_nb.client.private_file import PrivateFile, StoreError
from redbooth_nb.client.token import Token
from redbooth_nb.configuration import make_private
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors

# longer than the slowest refresh: 5 to connect, 30 for the first byte, 20 for the rest, 30 for the last
LOCK_SECONDS = 90
MARK = "refreshing"  # the field beside a token that was about to be refreshed


class TokenStore:
    """The token of one app at one provider, and the lock that makes refreshes happen one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = PrivateFile(folder / "token.json")
        self._thread_lock = _locks.setdefault(str(folder), threading.Lock())

    @property
    def path(self) -> Path:
        """The file the token is kept in."""
        return self._file.path

    @only_kit_errors
    def load(self) -> Token | None:
        """Return the token, or None when there is none. Raises StoreError."""
        return self._token_in(self._file)

    def require(self) -> Token:
        """Return the token. Raises NotYet when there is none, StoreError."""
        if (token := self.load()) is None:
            raise failure(NotYet, "refresh", "no_token")
        return token

    @only_kit_errors
    def save(self, token: Token) -> None:
        """Keep the token; when this returns it is on the disk. Raises StoreError; the old one stays."""
        self._file.write(token.reveal())

    @only_kit_errors
    def check(self) -> None:
        """Raise StoreError when the file is one that `save` would refuse to replace."""
        self._file.check()

    @only_kit_errors
    def forget(self) -> None:
        """Delete the token, for example after it was revoked."""
        self._file.remove()

    @only_kit_errors
    def mark_refresh(self, token: Token) -> None:
        """Note on disk, beside `token`, that it is about to be refreshed: a crash before `save` is then noticed."""
        for left in self._file.unfinished():  # so that any found after a crash comes from this refresh
            left.unlink(missing_ok=True)
        self._file.write({**token.reveal(), MARK: True})

    def unmark_refresh(self, token: Token) -> None:
        """Take that note back. On a full disk it stays: the error of the refresh matters more."""
        with suppress(StoreError):
            self.save(token)

    @only_kit_errors
    def interrupted(self) -> bool:
        """Whether a refresh of the stored token was begun and never saved: its answer may be lost."""
        return MARK in (self._file.read() or {})

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store alone, among all threads and processes. Raises StoreError after 90 seconds for each."""
        if not self._thread_lock.acquire(timeout=LOCK_SECONDS):
            raise self._problem("busy", seconds=LOCK_SECONDS)
        try:
            with self._file_lock():
                self._recover()
                yield
        finally:
            self._thread_lock.release()

    @only_kit_errors
    def _file_lock(self) -> AbstractContextManager[object]:
        """Take the lock between processes; leaving the context releases it."""
        from filelock import FileLock, Timeout  # slow to import, and most programs only read

        path = self.folder / "token.lock"
        try:
            make_private(self.folder)
            PrivateFile(path).check()  # a link planted there would lead elsewhere
            held = FileLock(path, timeout=LOCK_SECONDS, mode=0o600).acquire()
            try:  # a second lock has to fail; if it succeeds, locks have no effect on this file system
                FileLock(path, timeout=0, mode=0o600).acquire()
            except Timeout:
                return held
            raise self._problem("unusable", reason="locks have no effect there, as on some network drives")
        except Timeout:
            raise self._problem("busy", seconds=LOCK_SECONDS) from None
        except (OSError, NotImplementedError) as error:
            raise self._problem("unusable", reason=getattr(error, "strerror", None) or "it supports no locks") from None

    @only_kit_errors
    def _recover(self) -> None:
        """Under the lock, put a token in place that was written, but not yet renamed, when a refresh was cut off."""
        try:
            unfinished = self._file.unfinished() if self.interrupted() else []
        except StoreError:
            return  # the next read reports what is wrong with the file
        for left in map(PrivateFile, unfinished):
            try:
                token = self._token_in(left)
                meant = token if MARK not in (left.read() or {}) else None
            except StoreError:
                continue  # half a token is none
            if meant is not None:
                self.save(meant)
                left.remove()

    def _token_in(self, file: PrivateFile) -> Token | None:
        content = file.read()
        try:
            return Token.from_answer(content, float(content["obtained_at"])) if content else None
        except (RedboothError, KeyError, TypeError, ValueError, OverflowError):
            raise failure(StoreError, "store", "no_token", path=file.path, name=file.path.name) from None

    def _problem(self, code: str, **values: Any) -> StoreError:
        return failure(StoreError, "store", code, folder=self.folder, **values)


_locks: dict[str, threading.Lock] = {}  # one queue for each process in front of the file lock, which polls
