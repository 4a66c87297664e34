"""A small file: only its owner may read it, one program at a time changes it, and no crash leaves it half written.

Variables here hold secrets: decorate what calls this, or has a `with` block of `locked`, with `only_kit_errors`.
"""

import errno
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from redbooth_nb import changes
from redbooth_nb.client.errors import StoreError, failure
from redbooth_nb.configuration import make_private

FORMAT = 1
LOCK_SECONDS = 100  # requests under the lock take at most 5 + 30 + 60 s (revoke), unless headers trickle in
RENAME_WAITS = (0.01, 0.05, 0.2, 0.5)  # seconds; on Windows a file that somebody is reading cannot be replaced
NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}  # from file systems that cannot fsync a folder, as some network drives
_threads: dict[tuple[int, Path], Any] = {}  # locks that know their owner; one thread at a time polls a file


class PrivateFile:
    """A small JSON file, private to its owner. Hold a lock (see `locked`) from before reading to after writing."""

    def __init__(self, path: Path, usable: Callable[[dict[str, Any]], object] = bool) -> None:
        self.path, self.part, self._usable = path, part_of(path), usable

    def read(self) -> dict[str, Any] | None:
        """Return the content, or None when there is no file. Raises StoreError; the file is left as it is."""
        if (text := self.text()) is None:
            return None
        if (content := _parsed(text)) is None:
            raise self.problem("damaged")
        return content

    def text(self) -> bytes | None:
        """Return what the file holds, damaged or not; None when there is no file. Raises StoreError."""
        self.check()
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.problem("unreadable", reason=error.strerror) from None

    def write(self, content: dict[str, Any]) -> None:
        """Replace the content; when this returns it is on the disk. After a StoreError it is whole, old or new."""
        with self._changing():
            make_private(self.path.parent)
            write_part(self.path, json.dumps({**content, "format": FORMAT}, indent=1).encode())
            self._replace()  # if that fails, the part stays

    def finish_write(self) -> None:
        """Move `part` into place: it is complete, but a crash or a failed rename left it there."""
        with self._changing():
            with self.part.open("rb+") as file:
                os.fsync(file.fileno())
            self._replace()

    def _replace(self) -> None:
        """Put the new content in place. An old file that is damaged, of a newer format or not `usable` is kept."""
        if (old := self.text()) is not None and not self._usable(_parsed(old) or {}):
            names = (self.path.with_name(f"{self.path.name}.damaged{number or ''}") for number in count())
            self.path.replace(next(name for name in names if not name.exists()))
        rename_part(self.path)

    def remove(self) -> None:
        """Delete the file, if it is there, and what a crash left of it."""
        with self._changing():
            self.path.unlink(missing_ok=True)
            self.part.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise StoreError when there is a file that is not safe to use: a link, or one that others own or can read."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self.problem("unreadable", reason=error.strerror) from None
        wrong = {
            "link": stat.S_ISLNK(found.st_mode),
            "no_file": not stat.S_ISREG(found.st_mode),  # opening a named pipe would wait forever
            "foreign": sys.platform != "win32" and found.st_uid != os.getuid(),
            "shared": sys.platform != "win32" and found.st_mode & 0o077,
        }
        if code := next((code for code, is_so in wrong.items() if is_so), ""):
            raise self.problem(code)

    def problem(self, code: str, **values: Any) -> StoreError:
        return failure(StoreError, "store", code, path=self.path, name=self.path.name, **values)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self.problem("unwritable", reason=error.strerror or type(error).__name__) from None
        changes.announce()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path`: only one thread, across all processes, can. It ends with the process; the file stays.

    Raises StoreError when it isn't free within LOCK_SECONDS, this thread already holds it, or it has no effect there.
    """
    folder, threads = path.parent, _threads.setdefault((os.getpid(), path), threading.RLock())
    end = time.monotonic() + LOCK_SECONDS
    with ExitStack() as held:
        if threads._is_owned():
            raise failure(StoreError, "store", "held", folder=folder)
        # before a lock is taken, the stack knows how to release it: Ctrl-C can come at any moment
        held.callback(lambda: threads._is_owned() and threads.release())
        if not threads.acquire(timeout=LOCK_SECONDS):
            raise failure(StoreError, "store", "busy", folder=folder, seconds=LOCK_SECONDS)
        try:
            make_private(folder)
            PrivateFile(path).check()  # a link planted there would lead elsewhere
            lock = FileLock(path, mode=0o600)
            held.callback(lock.release, force=True)
            lock.acquire(max(end - time.monotonic(), 0), poll_interval=0.02)
        except Timeout:
            raise failure(StoreError, "store", "busy", folder=folder, seconds=LOCK_SECONDS) from None
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or "it supports no locks"
            raise failure(StoreError, "store", "unusable", folder=folder, reason=reason) from None
        with suppress(Timeout):  # a second lock should fail; if it doesn't, locks have no effect here
            FileLock(path, timeout=0, mode=0o600).acquire()
            raise failure(StoreError, "store", "lockless", folder=folder)
        yield


def _parsed(text: bytes) -> dict[str, Any] | None:
    """Return what a file holds, None when it is damaged or from a newer kit."""
    with suppress(ValueError, RecursionError):
        content = json.loads(text)
        return content if isinstance(content, dict) and content.get("format") == FORMAT else None
    return None


def part_of(path: Path) -> Path:
    """Return the temporary file that takes the place of `path` once it is written. A crash may leave it behind."""
    return path.with_name(f".{path.name}.part")


def replace_file(path: Path, content: bytes) -> None:
    """Replace the file in one step, never through a link, mode 0600; only SIGKILL leaves a temporary file behind."""
    try:
        write_part(path, content)
        rename_part(path)
    except BaseException:
        part_of(path).unlink(missing_ok=True)
        raise


def write_part(path: Path, content: bytes) -> None:
    """Write the temporary file of `path`, mode 0600; when this returns it is on the disk."""
    part = part_of(path)
    part.unlink(missing_ok=True)  # of a program that was killed
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:  # after Ctrl-C it may be whole: a token is put in place by the next lock
        part.unlink(missing_ok=True)
        raise


def rename_part(path: Path) -> None:
    """Rename the temporary file of `path`, and flush that to the disk."""
    for wait in (*RENAME_WAITS, None):
        try:
            part_of(path).replace(path)
            break
        except PermissionError:
            if wait is None:
                raise
            time.sleep(wait)
    if sys.platform == "win32":
        return  # folders cannot be opened there
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(folder)
