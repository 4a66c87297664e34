"""Views that follow: what this notebook does by themselves, what another does when somebody turns to them."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
import requests

from redbooth_nb import changes
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.widgets import live


class Counter(live.LiveView):
    """A view that counts its updates."""

    def __init__(self) -> None:
        self.updated = threading.Semaphore(0)
        super().__init__([live.w.Label()])
        assert self.updated.acquire(blocking=False)  # when it is drawn

    def _show(self) -> None:
        self.updated.release()

    @property
    def count(self) -> int:
        """The number of updates that were not waited for."""
        return self.updated._value  # type: ignore[attr-defined, no-any-return]


class Timer(threading.Thread):
    """A timer whose end the test decides."""

    made: ClassVar["list[Timer]"] = []

    def __init__(self, pause: float, action: object) -> None:
        super().__init__(target=action)  # type: ignore[arg-type]
        assert pause == live.PAUSE
        self.ended = False
        self.made.append(self)

    def start(self) -> None:
        """Start nothing yet."""

    def is_alive(self) -> bool:
        return not self.ended

    def cancel(self) -> None:
        self.ended = True

    def end(self) -> None:
        assert not self.ended
        super().start()
        self._started.wait()  # type: ignore[attr-defined]
        while super().is_alive():
            super().join(0.01)
        self.ended = True


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Timer]]:
    """Return the timers that were started; none of them ends by itself."""
    monkeypatch.setattr(live.threading, "Timer", Timer)
    monkeypatch.setattr(Timer, "made", [])
    monkeypatch.setattr(live, "_waiting", [])
    live.update_all()
    yield Timer.made
    live.update_all()


def test_it_follows_by_itself(app: Settings) -> None:
    assert app.client_id
    view = Counter()
    connect(requests.Session()).get(f"{API_URL}/me", timeout=5)
    assert view.updated.acquire(timeout=5)


def test_a_hundred_changes_are_shown_once_and_a_later_one_again(timers: list[Timer]) -> None:
    views = [Counter(), Counter()]
    for _ in range(100):
        changes.announce()
    assert [view.count for view in views] == [0, 0]
    (timer,) = timers
    timer.end()
    assert [view.count for view in views] == [1, 1]
    changes.announce()
    timers[1].end()
    assert [view.count for view in views] == [2, 2]


def test_what_is_changed_while_it_is_shown_is_shown_after_that(timers: list[Timer]) -> None:
    view = Counter()
    view._show = changes.announce  # type: ignore[method-assign]
    changes.announce()
    timers[0].end()
    assert len(timers) == 2


def test_changes_during_a_long_update_are_shown_once_after_that(timers: list[Timer]) -> None:
    view = Counter()

    def show() -> None:
        for _ in range(100):
            changes.announce()

    view._show = show  # type: ignore[method-assign]
    changes.announce()
    timers[0].end()
    assert len(timers) == 2


def test_an_update_waits_for_the_one_before_it_and_changes_meanwhile_begin_no_other(timers: list[Timer]) -> None:
    """However slow a view is, no more than one update waits."""
    view = Counter()
    changes.announce()
    with live._one_at_a_time:
        waiting = threading.Thread(target=timers[0].end)
        waiting.start()
        timers[0]._started.wait()  # type: ignore[attr-defined]
        for _ in range(100):
            changes.announce()
        assert (len(timers), view.count) == (1, 0)
    waiting.join()
    assert view.count == 1


def test_changes_of_any_thread_are_gathered(timers: list[Timer]) -> None:
    view = Counter()
    threads = [threading.Thread(target=changes.announce) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for timer in timers:  # two threads may both begin one
        if timer.is_alive():
            timer.end()
    assert 1 <= view.count < len(threads)


def test_a_cell_that_has_run_shows_all_of_it_at_once(timers: list[Timer]) -> None:
    view = Counter()
    changes.announce()
    live.update_all("what IPython tells of the cell")
    assert view.count == 1
    assert timers[0].ended  # it has nothing to show any more
    changes.announce()
    timers[1].end()
    assert view.count == 2  # nothing is lost after that


def test_where_there_are_no_threads_it_is_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(live.threading.Timer, "start", refuse)
    monkeypatch.setattr(live, "_waiting", [])  # one of another test may not have ended
    view = Counter()
    changes.announce()
    assert view.count == 1


def test_turning_to_it_again_updates_it_alone() -> None:
    view, other = Counter(), Counter()
    assert view._head.live
    view._head._handle_custom_msg("look", [])
    assert (view.count, other.count) == (1, 0)


NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from redbooth_nb.widgets import live

class Counter(live.LiveView):
    count = 0

    def _show(self):
        Counter.count += 1

view = Counter([live.w.Label()])
shell.run_cell("pass")
print(Counter.count)
"""


def test_in_a_notebook_every_cell_updates_it() -> None:
    """Once when it is drawn, once when the cell has run: another notebook may have changed what it shows."""
    done = subprocess.run([sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == ["2"]


@pytest.mark.usefixtures("timers")
def test_a_closed_one_hears_nothing_any_more() -> None:
    view = Counter()
    view.close()
    live.update_all()
    assert view.count == 0
    assert view not in live._views
