"""Views that follow what happens: in this notebook by themselves, in another when somebody turns to them again."""

import os
import threading
from collections.abc import Sequence
from typing import Final

import ipywidgets as w
from IPython import get_ipython

from redbooth_nb import changes
from redbooth_nb.widgets.view import View

PAUSE: Final = 0.05  # seconds in which changes are gathered: a cell may make a hundred
_one_at_a_time = threading.RLock()  # or what was read earlier could be shown later
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=lambda: globals().update(_one_at_a_time=threading.RLock()))
_views: "set[LiveView]" = set()  # ipywidgets keeps each until it is closed
_waiting: list[threading.Timer] = []  # at most one, which gathers changes


class LiveView(View):
    """A view that is always up to date: updated after changes, when a cell has run, and when somebody turns to it.

    Subclasses read and show everything in `_show()`, which raises nothing; `text()` reads everything, too.
    """

    def __init__(self, children: Sequence[w.Widget]) -> None:
        super().__init__(children)
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
    with _one_at_a_time:
        for timer in _waiting:
            timer.cancel()
        _waiting.clear()  # before reading: what is changed from now on is shown next time
        for view in list(_views):  # in one step, whatever other threads add meanwhile
            if view.comm is None:
                _views.discard(view)
                continue
            try:
                view.update()
            except AttributeError:  # of a widget that another thread closed meanwhile
                if view.comm is not None:
                    raise


def _changed() -> None:
    if not _views or any(timer.is_alive() for timer in _waiting):
        return
    _waiting[:] = [timer := threading.Timer(PAUSE, update_all)]  # two threads may both begin one
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # as in a browser's own Python, which has no threads
        update_all()


changes.watch(_changed)
if shell := get_ipython():
    shell.events.register("post_run_cell", update_all)
