"""What `long.py` measures at full size, at a size for every day. The code is the same."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from client.machine import CLIENT_ID, CLIENT_SECRET, unused_port
from reliability import callbacks, crashes, network, refreshing, serving
from reliability.crashes import Helper
from reliability.refreshing import Workers
from reliability.scene import ROTATIONS, StartDoorkeeper, machine, sandbox_scene, scene

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.register import save_credentials
from redbooth_nb.provider.sandbox import Sandbox

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
THREADS, PROCESSES, LINES, KILLS = 40, 4, 40, 12
URLS, RAW, FLOWS = 3000, 400, 30


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with refreshing.workers(PROCESSES) as made:
        yield made


@pytest.fixture(scope="module")
def forks() -> Iterator[Helper]:
    with crashes.helper() as made:
        yield made


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("service", ["sandbox", "Doorkeeper"])
def test_many_who_meet_an_expired_token_make_one_refresh(
    service: str, rotation: str, workers: Workers, request: pytest.FixtureRequest
) -> None:
    """R23, R24: one request to the token endpoint in each round, counted at the service, and everybody succeeds.

    In one round they know by the clock that it expired, in the other the service tells them.
    """
    start: StartDoorkeeper = dict if service == "sandbox" else request.getfixturevalue("doorkeeper")
    with scene(service, rotation, start) as one:
        for found in (refreshing.threads(one, THREADS, 2), refreshing.processes(one, workers, 2)):
            assert (found.token_requests, found.failures) == ([1, 1], [])


@posix
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_kill_at_any_line_after_the_answer_loses_nothing_in_silence(rotation: str, forks: Helper) -> None:
    """R26: the store loads; rotation on first use loses nothing; at once, what is lost is named and can be mended."""
    with sandbox_scene(rotation) as one:
        found = crashes.at_every_line(one, forks, step=forks.run(line=0)["lines"] // LINES)
    assert found.wrong == []
    assert found.kills >= LINES
    assert (found.lost > 0) == (rotation == "at once")  # a search that finds no loss there has not looked


@posix
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_kill_at_a_random_moment_loses_nothing_in_silence(rotation: str, forks: Helper) -> None:
    """R26: also while it waits for the lock, for the answer, or for the disk."""
    with sandbox_scene(rotation) as one:
        found = crashes.at_random(one, forks, KILLS)
    assert found.wrong == []
    assert found.kills == KILLS


@posix
def test_the_lossy_window_ends_with_the_save(forks: Helper) -> None:
    """R26: it is measured from the service's answer until the new token is on the disk."""
    with sandbox_scene("at once") as one:
        assert min(crashes.lossy_window(one, forks, 3)) > 0


def test_every_fault_of_the_network_is_named_on_a_refresh() -> None:
    """R17, R19, R22: one request, no token lost. For the exchange: tests/client/test_exchange.py."""
    with machine():
        found = network.every_fault(("refresh",))
    assert found.wrong == []
    assert found.met > 40


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[SignIn]:
    with machine():
        monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
        uri = f"http://127.0.0.1:{unused_port()}/callback"
        made = SignIn(AuthorizationRequest.new(save_credentials(CLIENT_ID, CLIENT_SECRET, uri)))
        yield made


def test_no_generated_address_is_taken_or_reflected(listener: SignIn) -> None:
    """R8, R11, R14: only the kit's own error; each kind of it comes up; the slot is not spent."""
    found = callbacks.urls(listener, URLS)
    assert found.wrong == []
    assert found.kinds.keys() >= {"CallbackError", "StateError"}
    assert callbacks.still_waits(listener) == []


def test_no_raw_bytes_are_taken_or_reflected(listener: SignIn, capfd: pytest.CaptureFixture[str]) -> None:
    """R11, R14, R15: the listener lives, quietly, and the right answer is still taken."""
    found = callbacks.raw(listener, RAW)
    assert found.wrong == []
    assert found.kinds.keys() >= {"400", "404", "501"}
    assert callbacks.still_waits(listener) == []
    assert capfd.readouterr() == ("", "")


def test_people_who_come_at_once_are_all_served(tmp_path: Path) -> None:
    """No error, and the file holds exactly the tokens that were given."""
    sandbox = Sandbox(tmp_path / "state" / "sandbox.sqlite3", 0)
    sandbox.start()
    try:
        served = serving.concurrent_flows(sandbox, FLOWS)
    finally:
        sandbox.stop()
    assert served.wrong == []
    assert served.answered == 2 * FLOWS


@posix
def test_a_sandbox_killed_while_writing_keeps_what_it_answered(tmp_path: Path) -> None:
    """SIGKILL between two answers: every token that was given is in the file, and every one replaced is revoked."""
    served = serving.killed_while_writing(tmp_path / "state" / "sandbox.sqlite3", kills=2)
    assert served.wrong == []
    assert served.answered > 0
