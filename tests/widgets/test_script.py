"""A script in a process of its own: its output arrives while it runs, and it can be ended."""

import os
import sys
import threading
from pathlib import Path

import pytest
from widgets.clicks import click, shown

from redbooth_nb.errors import RedboothError
from redbooth_nb.widgets import script
from redbooth_nb.widgets.script import LINES, ScriptPanel


def python(code: str, folder: Path) -> ScriptPanel:
    return ScriptPanel([sys.executable, "-u", "-c", code], folder)


@pytest.mark.usefixtures("unattended")
def test_where_nobody_watches_the_cell_waits_for_the_end(tmp_path: Path) -> None:
    panel = python("print('one'); print('<two>')", tmp_path)
    assert not panel.running
    assert panel.text() == repr(panel) == "one\n<two>"
    assert "&lt;two&gt;" in shown(panel)
    assert "Done." in shown(panel)


@pytest.mark.usefixtures("unattended")
def test_a_failure_is_told_after_the_last_lines(tmp_path: Path) -> None:
    code = f"import sys\nfor number in range({LINES} + 5): print(number)\nsys.exit('so <far>, café')"
    panel = python(code, tmp_path)
    ending = "The script ended with exit status 1. Its output says why."
    assert panel.text().splitlines()[-2:] == ["so <far>, café", ending]
    assert len(panel.text().splitlines()) == LINES + 1
    assert "so &lt;far&gt;, café" in shown(panel)
    assert ending in shown(panel)


@pytest.mark.usefixtures("unattended")
def test_the_end_of_a_script_that_prints_nothing_is_told(tmp_path: Path) -> None:
    assert python("", tmp_path).text() == "The script finished."


@pytest.mark.usefixtures("unattended")
def test_where_nobody_watches_no_script_runs_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "LONGEST_RUN", 0.01)
    with pytest.raises(RedboothError, match=r"The script was stopped: it was still running after 0\.01 s"):
        python("import threading; threading.Event().wait()", tmp_path)


def test_output_arrives_while_it_runs_and_cancel_stops_it(tmp_path: Path) -> None:
    arrived, ended = threading.Event(), threading.Event()
    # it goes on only when it is told to, which it never is
    panel = python(
        "print('Sign in: https://redbooth.com/oauth2/authorize?a=1&b=2')\nimport threading\nthreading.Event().wait()",
        tmp_path,
    )
    panel.observe(lambda _: panel.browser and arrived.set(), names="children")
    panel._message.observe(lambda change: "stopped" in change["new"]["text"] and ended.set(), names="said")
    assert panel.browser or arrived.wait(20)
    assert "a=1&amp;b=2" in shown(panel)
    assert panel.browser is not None
    assert panel.running
    click(panel, "Cancel")
    assert ended.wait(20)
    panel._reader.join(20)
    assert not panel.running
    assert panel.text() == "Sign in: https://redbooth.com/oauth2/authorize?a=1&b=2"
    assert "The script was stopped." in shown(panel)
    assert "Problem" not in shown(panel)
    assert panel.browser not in panel.children, "its window would allow what nothing waits for"


def test_a_script_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "LONGEST_END", 0.1)
    ready = threading.Event()
    code = "import signal, threading\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code += "print('here')\nthreading.Event().wait()"
    panel = python(code, tmp_path)
    panel._output.observe(lambda change: "here" in change["new"] and ready.set(), names="value")
    assert "here" in panel.text() or ready.wait(20)
    panel.cancel()
    panel._reader.join(20)
    assert not panel.running
    assert "The script was stopped." in shown(panel)


def test_a_wait_lasts_until_the_script_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    panel = python("open('go').read()", tmp_path)
    panel.wait(0)
    assert panel.running
    threading.Thread(target=(tmp_path / "go").write_text, args=[""]).start()
    panel.wait(20)
    assert not panel.running


def test_a_wait_never_lasts_for_a_person(tmp_path: Path) -> None:
    asked = threading.Event()
    code = "import threading\nprint('Sign in: https://redbooth.com/oauth2/authorize')\nthreading.Event().wait()"
    panel = python(code, tmp_path)
    panel.observe(lambda _: panel.browser and asked.set(), names="children")
    assert panel.browser or asked.wait(20)
    panel.wait(1000)
    assert panel.running
    panel.cancel()
    panel._reader.join(20)


def test_what_cannot_be_started_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RedboothError, match="The script could not be started: No such file"):
        ScriptPanel([str(tmp_path / "missing")], tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8888/lab",
        "http://127.0.0.1:9/callback/x?code=1",
        "http://localhost:9/callback",
        "https://x.test",
    ],
)
def test_the_window_leads_only_to_where_the_script_waits(address: str) -> None:
    """A page could send it anywhere on this machine, to JupyterLab for example."""
    with pytest.raises(RedboothError, match="is not waiting at this address"):
        script._open("http://127.0.0.1:9/callback", address)
