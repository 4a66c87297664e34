"""What is kept on disk between notebooks: the token, and the authorization that is under way.

One folder per provider and client id, so that a token is only ever sent to whom it came from. Every write is
a temporary file, fsync, rename, fsync of the folder: a reader or a crash never meets half a file.
"""

import json
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from redbooth_nb.client.token import Token
from redbooth_nb.configuration import make_private
from redbooth_nb.errors import RedboothError, without_frames

FORMAT = 1
LOCK_SECONDS = 90  # longer than the slowest refresh: connect and read timeouts together


class StoreError(RedboothError):
    """A file of the kit cannot be read or written. Nothing in it was changed."""


class PrivateFile:
    """A small JSON file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @without_frames
    def read(self) -> dict[str, Any] | None:
        """Return the content, or None when there is no file.

        Raises StoreError for a link, another owner, a mode that lets others read, content that is not
        ours, or a newer format. The file is left as it is.
        """
        if not self.is_private():
            return None
        try:
            content = self._content()
        except OSError as error:
            raise self._problem(f"cannot be read ({error.strerror})", "Make it readable for you.") from None
        if content is None:
            raise self.damaged()
        if content["format"] > FORMAT:
            raise self._problem("was written by a newer redbooth-nb", "Update the kit, or set REDBOOTH_STATE_DIR.")
        return content

    @without_frames
    def write(self, content: dict[str, Any]) -> None:
        """Replace the content; when this returns it is on the disk. Raises StoreError; the old content stays.

        A damaged file, or one of a newer kit, is kept beside the new one.
        """
        exists = self.is_private()
        problem = ""
        try:
            make_private(self.path.parent)
            before = self._content() if exists else {"format": FORMAT}
            if before is None or before["format"] > FORMAT:
                self.path.replace(self._aside())
            # mkstemp opens with mode 0600 whatever the umask
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"format": FORMAT, **content}, file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            finally:
                Path(name).unlink(missing_ok=True)
            self._sync_folder()
        except OSError as error:
            problem = error.strerror or type(error).__name__
        if problem:
            raise self._problem(f"cannot be written ({problem})", "Free some space or make the folder writable.")

    def _content(self) -> dict[str, Any] | None:
        """Return what the file holds, None when it makes no sense."""
        try:
            content = json.loads(self.path.read_bytes())
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and isinstance(content.get("format"), int) else None

    def _aside(self) -> Path:
        names = (self.path.with_name(f"{self.path.name}.damaged{number or ''}") for number in count())
        return next(name for name in names if not name.exists())

    def remove(self) -> None:
        """Delete the file, if it is there."""
        self.path.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        if sys.platform == "win32":
            return  # folders cannot be opened there
        handle = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def is_private(self) -> bool:
        """Return whether the file exists; raise when it exists but is not safe to use."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._problem(f"cannot be reached ({error.strerror})", "Make its folder readable.") from None
        if stat.S_ISLNK(found.st_mode):
            raise self._problem("is a link to another file", "Remove the link; the kit writes only its own file.")
        if sys.platform != "win32":
            if found.st_uid != os.getuid():
                raise self._problem("belongs to another user", "Set REDBOOTH_STATE_DIR to a folder of your own.")
            if found.st_mode & 0o077:
                raise self._problem("can be read by others", f"Run: chmod 600 {self.path}")
        return True

    def damaged(self) -> StoreError:
        """Return the error that says the content makes no sense."""
        aside = f"{self.path.name}.damaged"
        return self._problem("is damaged", f"Keep it for help by renaming it to {aside}, then authorize again.")

    def _problem(self, what: str, remedy: str) -> StoreError:
        return StoreError(f"The file {self.path} {what}.", remedy=f"{remedy} Nothing in it was changed.")


class TokenStore:
    """The token of one app at one provider, and the lock that makes refreshes happen one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = PrivateFile(folder / "token.json")
        self._marker = PrivateFile(folder / "refreshing.json")
        self._threads = _thread_lock(folder)

    @property
    def path(self) -> Path:
        """The file the token is kept in."""
        return self._file.path

    @without_frames
    def load(self) -> Token | None:
        """Return the token, or None when there is none. Raises StoreError."""
        content = self._file.read()
        if content is None:
            return None
        try:
            return Token.from_answer(content, float(content["obtained_at"]))
        except (RedboothError, KeyError, TypeError, ValueError):
            pass
        raise StoreError(
            f"The file {self.path} holds no token.",
            remedy=f"Keep it for help by renaming it to {self.path.name}.damaged, then authorize again.",
        )

    def save(self, token: Token) -> None:
        """Keep the token; when this returns it is on the disk. Raises StoreError; the old one stays."""
        self._file.write(token.reveal())
        self._marker.remove()

    def check(self) -> None:
        """Raise StoreError when the file is one that `save` would refuse to replace."""
        self._file.is_private()

    def forget(self) -> None:
        """Delete the token, for example after it was revoked."""
        self._file.remove()
        self._marker.remove()

    def mark_refresh(self, token: Token) -> None:
        """Note on disk that `token` is about to be refreshed: a crash before `save` is then no riddle."""
        self._marker.write({"access_token_fingerprint": token.access_token.fingerprint})

    def unmark(self) -> None:
        """Take the note back: the service refused, so no answer can have been lost."""
        self._marker.remove()

    def interrupted(self) -> bool:
        """Whether a refresh of the stored token was begun and never saved: its answer may be lost."""
        content, token = self._marker.read(), self.load()
        mark = content and content.get("access_token_fingerprint")
        return token is not None and mark == token.access_token.fingerprint

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store alone, among all threads and processes. Raises StoreError after 90 seconds."""
        if not self._threads.acquire(timeout=LOCK_SECONDS):
            raise self._busy()
        try:
            file_lock = self._lock_file()
            try:
                yield
            finally:
                file_lock.release()
        finally:
            self._threads.release()

    def _lock_file(self) -> BaseFileLock:
        try:
            make_private(self.folder)
            file_lock = FileLock(self.folder / "token.lock", timeout=LOCK_SECONDS, mode=0o600)
            file_lock.acquire()
        except Timeout:
            failure = self._busy()
        except OSError as error:
            remedy = "Make it writable for you, or set REDBOOTH_STATE_DIR to another folder."
            failure = StoreError(f"The folder {self.folder} cannot be used ({error.strerror}).", remedy=remedy)
        else:
            return file_lock
        raise failure

    def _busy(self) -> StoreError:
        return StoreError(
            f"The token in {self.folder} is being refreshed elsewhere and did not become free in {LOCK_SECONDS} s.",
            remedy="Close the other notebook or program, or wait, then try again.",
        )


_locks: dict[Path, threading.Lock] = {}
_locks_lock = threading.Lock()


def _thread_lock(folder: Path) -> threading.Lock:
    # one queue per process in front of the file lock, which polls
    with _locks_lock:
        return _locks.setdefault(folder, threading.Lock())
