"""Views that follow what happens: requests, files that this or another notebook wrote, and what they are told of.

No system reports in the same way on every machine that another program wrote a file, so one thread compares times.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import ipywidgets as w

from redbooth_nb import RedboothError, transcript
from redbooth_nb.configuration import Configuration
from redbooth_nb.widgets.view import View

PAUSE: Final = 0.25  # seconds between two comparisons
FILES: Final = ("*/credentials.env", "*/*/authorization.json", "*/*/token.json")  # in the state folder
_one_at_a_time = threading.RLock()  # or what was read earlier could be shown later
_lock = threading.RLock()
_views: list["LiveView"] = []
_no_thread = threading.Event()
_no_thread.set()


class LiveView(View):
    """A view that is right at any time: it is updated after every request, after `tell()`, and when a file was written.

    Subclasses read and show everything in `_show()`, which raises nothing.
    """

    def __init__(self, children: Sequence[w.Widget]) -> None:
        self.update()
        super().__init__(children)
        with _lock:
            _views.append(self)
            if _no_thread.is_set():
                _no_thread.clear()
                threading.Thread(target=_compare_times, name="followed files", daemon=True).start()

    def update(self) -> None:
        """Read everything again and show it."""
        with _one_at_a_time:
            self._show()

    def _show(self) -> None:
        raise NotImplementedError


def tell() -> None:
    """Update all views, for example after the provider's clock was moved."""
    for view in _open_views():
        view.update()


def _open_views() -> list[LiveView]:
    with _lock:
        _views[:] = [view for view in _views if view.comm is not None]  # a closed one has none
        return list(_views)


def _compare_times() -> None:
    pause, before = threading.Event(), None
    while True:
        with _lock:  # or a view could be added just before the thread ends
            if not _open_views():
                _no_thread.set()
                return
        now = _times()  # before reading: what is written meanwhile is noticed next time
        if now != before:
            tell()
        before = now
        pause.wait(PAUSE)


def _times() -> set[tuple[str, int]]:
    """Return the files that say how far the apps are, and when each was written."""
    times = set()
    with suppress(RedboothError):  # settings that cannot be read; the views say so
        settings = Configuration.read()
        for file in (settings.env_file, *(file for name in FILES for file in settings.state_dir.glob(name))):
            with suppress(OSError):  # not there, or no more
                times.add((str(file), file.stat().st_mtime_ns))
    return times


transcript.watch(tell)
