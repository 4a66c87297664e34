"""Views that follow: one thread for all of them, and it ends with the last."""

import threading

import pytest
import requests

from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import connect
from redbooth_nb.configuration import Configuration
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.widgets import live
from redbooth_nb.widgets.flow_map import FlowMap


class Counter(live.LiveView):
    """A view that counts its updates."""

    def __init__(self) -> None:
        self.updated = threading.Semaphore(0)
        super().__init__([])

    def _show(self) -> None:
        self.updated.release()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "followed files"]


def test_one_thread_compares_for_all_views_and_ends_with_the_last(app: Settings) -> None:
    del app
    maps = [FlowMap() for _ in range(5)]
    (thread,) = threads()
    for shown in maps:
        shown.close()
    thread.join(5)
    assert not thread.is_alive()
    last = FlowMap()
    (thread,) = threads()
    last.close()
    thread.join(5)
    assert threads() == []


@pytest.mark.parametrize("name", ["authorization.json", "token.json", "../credentials.env", "{env_file}"])
def test_it_hears_of_every_file_until_it_is_closed(app: Settings, name: str) -> None:
    app.folder.mkdir()
    file = app.folder / name.format(env_file=Configuration.read().env_file)
    view = Counter()
    for _ in range(2):  # when it is drawn, and when the thread begins
        assert view.updated.acquire(timeout=5)
    for content in ("# made", "# written again"):
        file.write_text(content, encoding="utf-8")
        assert view.updated.acquire(timeout=5)
    file.unlink()
    assert view.updated.acquire(timeout=5)
    (thread,) = threads()
    view.close()
    thread.join(5)
    live.tell()
    assert not view.updated.acquire(blocking=False)


def test_it_hears_of_requests_and_of_what_it_is_told(app: Settings) -> None:
    view = Counter()
    for _ in range(2):
        assert view.updated.acquire(timeout=5)
    live.tell()
    assert view.updated.acquire(blocking=False)
    connect(requests.Session()).get(f"{API_URL}/me", timeout=5)
    assert view.updated.acquire(blocking=False)
    assert not app.folder.joinpath("token.json").exists()
