"""Changes to what the kit shows: a file was written, a request was answered, a clock was moved.

Each is announced once, where it happens. This module knows no widgets and reads nothing.
"""

import logging
import threading
import weakref
from collections.abc import Callable
from types import MethodType

_watchers: list[Callable[[], Callable[[], object] | None]] = []
_lock = threading.Lock()


def watch(callback: Callable[[], object]) -> None:
    """Call `callback` after every change, in the thread that made it, for as long as something else holds it.

    What it raises is logged by name and never reaches whoever made the change.
    """
    held = weakref.WeakMethod(callback) if isinstance(callback, MethodType) else weakref.ref(callback)
    with _lock:
        _watchers.append(held)


def announce() -> None:
    """Say that something has changed."""
    with _lock:
        _watchers[:] = [watcher for watcher in _watchers if watcher() is not None]
        watchers = list(_watchers)
    for watcher in watchers:
        try:
            if callback := watcher():
                callback()
        except Exception as error:  # whatever it is, the change that is told of was a good one
            # by name only: the text and the frames lead to secrets
            logging.getLogger(__name__).warning("A watcher failed: %s", type(error).__name__)
