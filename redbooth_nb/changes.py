"""Changes to what the kit shows: a file was written, a request was answered, a clock was moved.

Each is announced once, where it happens. This module knows no widgets and reads nothing.
"""

import logging
from collections.abc import Callable

_watchers: list[Callable[[], object]] = []


def watch(callback: Callable[[], object]) -> None:
    """Call `callback` after every change, in the thread that made it. Of what it raises, only the type is logged."""
    _watchers.append(callback)


def announce() -> None:
    for watcher in _watchers:
        try:
            watcher()
        except Exception as error:  # whatever it is, the change being announced did succeed
            # by name only: the text and the frames lead to secrets
            logging.getLogger(__name__).warning("A watcher failed: %s", type(error).__name__)
