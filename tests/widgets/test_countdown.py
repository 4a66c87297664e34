"""The countdown without a browser: its words, its phases, and what it tells a page that comes late."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from widgets.clicks import saved

from redbooth_nb.client.token import Token
from redbooth_nb.widgets import countdown as module
from redbooth_nb.widgets.countdown import Countdown


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return this machine's clock, which the test sets."""
    now = [1_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    return now


PHASES = [
    (7200, 7200, "fresh", "fresh, expires in 2 h"),
    (5400, 7200, "fresh", "fresh, expires in 1 h 30 min"),
    (61, 7200, "fresh", "fresh, expires in 1 min"),
    (60, 7200, "soon", "expires soon, in 1 min"),
    (20, 7200, "soon", "expires soon, in 20 s"),
    (4, 30, "fresh", "fresh, expires in 4 s"),
    (3, 30, "soon", "expires soon, in 3 s"),
    (0, 7200, "expired", "expired"),
    (-5, 7200, "expired", "expired"),
    (None, None, "unknown", "the service did not say how long it is valid"),
    (10, None, "unknown", "the service did not say how long it is valid"),
]


@pytest.mark.parametrize(("remaining", "lifetime", "phase", "words"), PHASES)
@pytest.mark.usefixtures("clock")
def test_phases_and_words(remaining: float | None, lifetime: float | None, phase: str, words: str) -> None:
    assert Countdown(remaining, lifetime).text() == words
    assert words.startswith(module.TOKEN[phase][0])


@pytest.mark.parametrize("lifetime", [7200, 599, 30])
@pytest.mark.usefixtures("clock")
def test_soon_is_when_the_session_refreshes(lifetime: int) -> None:
    shown = Countdown(None, None)
    token = Token.from_response({"access_token": "a", "expires_in": lifetime}, 1000.0)
    for rest in range(1, lifetime + 1):
        soon = token.needs_refresh(1000.0 + lifetime - rest)
        shown.set(rest, lifetime)
        assert shown.text().startswith("expires soon" if soon else "fresh")


def test_time_passes_also_for_a_page_that_comes_late(clock: list[float]) -> None:
    """What is sent is true when it is sent: a reloaded page asks for the state long after it was set."""
    shown = Countdown(7200, 7200)
    clock[0] += 7170
    assert shown.text() == "expires soon, in 30 s"
    assert shown.get_state("time")["time"] == {"remaining": 30, "lifetime": 7200, "as_of": clock[0]}
    clock[0] += 31
    assert shown.text() == "expired"


def test_the_same_numbers_again_are_news(clock: list[float]) -> None:
    """A refresh gives two hours again, and the browser must hear of it."""
    shown = Countdown(7200, 7200)
    news: list[object] = []
    shown.observe(news.append, names="time")
    clock[0] += 30
    shown.set(7200, 7200)
    assert len(news) == 1
    assert shown.text() == "fresh, expires in 2 h"


@pytest.mark.usefixtures("clock")
def test_what_is_saved_with_a_notebook_are_numbers_and_fixed_words() -> None:
    shown = Countdown(100, 7200)
    state = json.loads(saved())["state"][shown.model_id]["state"]
    assert {name for name in state if not name.startswith("_")} == {"layout", "tabbable", "time", "tooltip", "words"}
    assert state["time"] == {"remaining": 100, "lifetime": 7200, "as_of": 1_000_000}


HERE = Path(module.__file__).parent
SCRIPTS = sorted(HERE.glob("*.js"))


def test_there_are_scripts_to_look_at() -> None:
    assert {script.stem for script in SCRIPTS} == {"browser", "countdown", "flow_map", "message", "view"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_javascript_asks_nobody(path: Path) -> None:
    """No CDN, no import, no markup made of data."""
    script, style = path.read_text("utf-8"), "".join(file.read_text("utf-8") for file in HERE.glob("*.css"))
    for word in ("import ", "import(", "fetch(", "XMLHttp", "innerHTML", "outerHTML", "insertAdjacent", "eval("):
        assert word not in script
    assert "//" not in script.replace("// ", "").replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_javascript_is_well_formed(path: Path) -> None:
    source = path.read_bytes()
    command = ["node", "--check", "--input-type=module", "-"]
    checked = subprocess.run(command, input=source, capture_output=True, check=False)  # noqa: S603
    assert checked.returncode == 0, checked.stderr
