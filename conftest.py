"""How notebooks are validated: each with its own recording, an empty state folder, and nobody at the browser.

And how tests are shared among several processes.

It is at the root because `pytest notebooks` does not load `tests/conftest.py`.
"""

import ctypes
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent
RECORDINGS = ROOT / "tests" / "recordings"
GUARD = ROOT / "tests" / "guard"
LISTENING = {f"tests/browser/test_{name}.py" for name in ("elsewhere", "interruptions", "states", "tour")}
LISTENING |= {f"tests/notebooks/test_{name}.py" for name in ("unattended", "without_widgets")}
LISTENING |= {"notebooks/06-your-own-app.ipynb"}


def pytest_configure(config: pytest.Config) -> None:
    """Keep the validator's own settings out of every test and notebook, and processes out of each other's way."""
    for name in [name for name in os.environ if name.startswith("REDBOOTH_")]:
        del os.environ[name]
    if hasattr(config, "workerinput") and networks_can_be_made():
        enter_own_network()


@cache
def networks_can_be_made() -> bool:
    """Whether this process may make networks, as root may on Linux."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "--net", "true"], capture_output=True).returncode == 0  # noqa: S603, PLW1510


def enter_own_network() -> None:
    """Leave this machine's network for a new one, so that several processes can listen at the redirect URI.

    It has loopback and, as an ordinary machine has, an address besides: one for documentation (RFC 5737).
    """
    import fcntl  # noqa: PLC0415  (not on Windows)

    new_network, set_flags, set_address, up = 0x40000000, 0x8914, 0x8916, 1  # sched.h, sockios.h, if.h
    if ctypes.CDLL(None, use_errno=True).unshare(new_network):
        raise OSError(ctypes.get_errno(), "This process cannot have a network of its own")
    another = struct.pack("16sHH4s16x", b"lo:1", socket.AF_INET, 0, socket.inet_aton("192.0.2.7"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH22x", b"lo", up))
        fcntl.ioctl(any_socket, set_address, another)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH22x", b"lo:1", up))


def is_notebook(item: pytest.Item) -> bool:
    """Whether an item is a cell of a notebook."""
    return item.path.suffix == ".ipynb"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401  (pytest-xdist's own types)
    """Share the tests among several processes (`pytest -n 2`): a file stays in one piece.

    So do all who listen at the redirect URI, where only one can, unless each process has a network of its own.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  (only here, where it is installed)

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "redirect URI" if file in LISTENING and not networks_can_be_made() else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a notebook's first cell, choose its recording."""
    if is_notebook(item):
        os.environ.update(recorded_environment(item.path))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After a notebook's last cell, see that every recorded answer was used."""
    if is_notebook(item) and (nextitem is None or nextitem.path != item.path):
        unused = unused_round_trips(item.path)
        for name in recorded_environment(item.path):
            os.environ.pop(name, None)
        if unused and item.session.testsfailed == 0:
            pytest.fail(f"{item.path.name} left recorded answers unused: {', '.join(unused)}")


_states: dict[Path, str] = {}


def recorded_environment(notebook: Path) -> dict[str, str]:
    """Return the environment of a notebook's kernel."""
    if notebook not in _states:
        _states[notebook] = tempfile.mkdtemp(prefix="redbooth-nb-")
    return {
        "REDBOOTH_PROVIDER": "recorded",
        "REDBOOTH_RECORDING": str(RECORDINGS / f"{notebook.stem}.json"),
        "REDBOOTH_STATE_DIR": _states[notebook],
        "REDBOOTH_UNATTENDED": "1",
        "PYTHONPATH": str(GUARD),
    }


def unused_round_trips(notebook: Path) -> list[str]:
    """Return the recorded exchanges that no cell asked for."""
    recording = RECORDINGS / f"{notebook.stem}.json"
    if not recording.exists():
        return []
    round_trips = json.loads(recording.read_text())["round_trips"]
    journal = Path(_states[notebook]) / "recorded" / "journal.jsonl"
    used = {json.loads(line)["round_trip"] for line in journal.read_text().splitlines()} if journal.exists() else set()
    return [
        f"{round_trip['request']['method']} {round_trip['request']['path']} (number {number})"
        for number, round_trip in enumerate(round_trips)
        if number not in used
    ]


def pytest_unconfigure() -> None:
    """Remove the notebooks' state folders."""
    for folder in _states.values():
        shutil.rmtree(folder, ignore_errors=True)
