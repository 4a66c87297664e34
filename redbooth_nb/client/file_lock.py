"""A lock that one thread of one process holds at a time; it ends with the process. Its file stays and says nothing."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from redbooth_nb.client.errors import failure
from redbooth_nb.client.private_file import PrivateFile, StoreError
from redbooth_nb.configuration import make_private
from redbooth_nb.errors import only_kit_errors

LOCK_SECONDS = 90  # longer than a refresh takes: 5 s to connect, 30 s until the headers come, at most 50 s for the body


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path`. Raises StoreError after 90 s for the thread lock, or another 90 s for the file lock."""
    threads = _thread_locks.setdefault(str(path), threading.Lock())
    if not threads.acquire(timeout=LOCK_SECONDS):
        raise _problem(path, "busy", seconds=LOCK_SECONDS)
    try:
        with _file_lock(path):
            yield
    finally:
        threads.release()


@only_kit_errors
def _file_lock(path: Path) -> AbstractContextManager[object]:
    """Take the lock between processes; leaving the context releases it."""
    from filelock import FileLock, Timeout  # slow to import, and most programs only read

    try:
        make_private(path.parent)
        PrivateFile(path).check()  # a link planted there would lead elsewhere
        held = FileLock(path, timeout=LOCK_SECONDS, mode=0o600).acquire()
        try:  # a second lock has to fail; if it succeeds, locks have no effect on this file system
            FileLock(path, timeout=0, mode=0o600).acquire()
        except Timeout:
            return held
        raise _problem(path, "unusable", reason="locks have no effect there, as on some network drives")
    except Timeout:
        raise _problem(path, "busy", seconds=LOCK_SECONDS) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or "it supports no locks"
        raise _problem(path, "unusable", reason=reason) from None


def _problem(path: Path, code: str, **values: Any) -> StoreError:
    return failure(StoreError, "store", code, folder=path.parent, **values)


_thread_locks: dict[str, threading.Lock] = {}  # threads of one process wait here; the file lock polls
