"""What has changed is told once, where it happens."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from practice import DECIDE, SECRET, app, callback_of, decide, machine

from redbooth_nb import changes
from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import StoreError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.private_file import PrivateFile
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.token import TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.provider.sandbox import Sandbox

__all__ = ["app", "callback_of", "decide", "machine"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_watchers", [])


class Watcher:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.heard: list[threading.Thread] = []
        changes.watch(lambda: self.heard.append(threading.current_thread()))

    def hears(self, action: Callable[[], object]) -> int:
        """Return how often it is told while this is done."""
        before = len(self.heard)
        action()
        return len(self.heard) - before


def test_every_change_is_told_where_it_happens(app: Settings, sandbox: Sandbox, decide: DECIDE) -> None:
    watcher, session = Watcher(), connect(requests.Session())
    assert watcher.hears(lambda: session.get(f"{API_URL}/me", timeout=5)) == 1
    assert watcher.hears(lambda: AuthorizationRequest.new(app)) == 1
    token = exchange(decide(app))
    assert watcher.hears(TokenStore(app.folder).forget)
    assert watcher.hears(lambda: TokenStore(app.folder).save(token))
    assert watcher.hears(lambda: save_credentials(app.client_id, SECRET, app.redirect_uri)) == 1
    for action in (lambda: sandbox.advance(60), sandbox.reset_clock, lambda: sandbox.switch(state="dropped")):
        assert watcher.hears(action) == 1
    assert watcher.hears(sandbox.reset) == 1


def test_reading_and_what_failed_are_no_changes(app: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    watcher = Watcher()
    (tmp_path / "file.json").mkdir(mode=0o700)

    def fail() -> None:
        with pytest.raises(StoreError, match="is not a regular file"):
            PrivateFile(tmp_path / "file.json").write({})

    for action in (Settings.load, TokenStore(app.folder).load, sandbox.now, lambda: sandbox.switches, fail):
        assert watcher.hears(action) == 0


def test_a_watcher_hears_of_it_in_the_thread_that_made_it(caplog: pytest.LogCaptureFixture) -> None:
    """And what goes wrong in one reaches neither the others nor whoever made the change."""

    def fail() -> None:
        raise ZeroDivisionError("canary")

    changes.watch(fail)
    watcher = Watcher()
    thread = threading.Thread(target=changes.announce)
    thread.start()
    thread.join()
    assert watcher.heard == [thread]
    assert "ZeroDivisionError" in caplog.text
    assert "canary" not in caplog.text
