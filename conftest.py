"""How notebooks are validated: each with its own recording, an empty state folder, and nobody at the browser.

It is at the root because `pytest notebooks` does not load `tests/conftest.py`.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent
RECORDINGS = ROOT / "tests" / "recordings"
GUARD = ROOT / "tests" / "guard"
LISTENING = {f"tests/browser/test_{name}.py" for name in ("elsewhere", "interruptions", "states", "tour")}
LISTENING |= {f"tests/notebooks/test_{name}.py" for name in ("unattended", "without_widgets")}
LISTENING |= {"notebooks/06-your-own-app.ipynb"}


def pytest_configure() -> None:
    """Keep the validator's own settings out of every test and notebook."""
    for name in [name for name in os.environ if name.startswith("REDBOOTH_")]:
        del os.environ[name]


def is_notebook(item: pytest.Item) -> bool:
    """Whether an item is a cell of a notebook."""
    return item.path.suffix == ".ipynb"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401  (pytest-xdist's own types)
    """Share the tests among several processes (`pytest -n 2`): a file stays in one piece.

    So do all who listen at the redirect URI, where only one can.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  (only here, where it is installed)

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "redirect URI" if file in LISTENING else file

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
