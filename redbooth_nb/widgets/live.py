"""Views that follow what happens: in this notebook by themselves, in another when somebody turns to them again."""

import threading
from collections.abc import Sequence
from typing import Final
from weakref import WeakSet

import ipywidgets as w
from IPython import get_ipython

from redbooth_nb import changes
from redbooth_nb.widgets.view import View

PAUSE: Final = 0.05  # seconds in which changes are gathered: a cell may make a hundred
_one_at_a_time = threading.RLock()  # or what was read earlier could be shown later
_lock = threading.Lock()
_views: "WeakSet[LiveView]" = WeakSet()
_gathering = threading.Event()


class LiveView(View):
    """A view that is right at any time: updated after changes, when a cell has run, and when somebody turns to it.

    Subclasses read and show everything in `_show()`, which raises nothing; `text()` reads everything, too.
    """

    def __init__(self, children: Sequence[w.Widget]) -> None:
        super().__init__(children)
        with _lock:
            _views.add(self)
        self._head.live = True
        self._head.on_msg(lambda *_: self.update())
        self.update()

    def update(self) -> None:
        """Read everything again and show it."""
        with _one_at_a_time:
            self._show()

    def _show(self) -> None:
        raise NotImplementedError


def update_all(*_: object) -> None:
    """Update every view that is not closed."""
    _gathering.clear()  # before reading: what is changed meanwhile is shown next time
    with _lock:
        views = [view for view in _views if view.comm is not None]  # a closed one has none
    for view in views:
        view.update()


def _changed() -> None:
    with _lock:
        if _gathering.is_set() or not _views:
            return
        _gathering.set()
    timer = threading.Timer(PAUSE, update_all)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # as in a browser's own Python, which has no threads
        update_all()


changes.watch(_changed)
if shell := get_ipython():
    shell.events.register("post_run_cell", update_all)
