"""Cells run out of order give a sentence that names the cell to run (R45)."""

import atexit
import json
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from redbooth_nb.lessons.explain import explain_errors, out_of_order
from redbooth_nb.working_copies import REPOSITORY


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a notebook whose kernel this is."""
    sources = [
        "import requests as http",
        "panel = Panel()\npanel",
        "def ask(who):\n    return who",
        "print(panel)",
        "?? no",
    ]
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources]
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["panel = text"]}, *cells]}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return path


def name_error(name: str) -> NameError:
    return NameError(f"name {name!r} is not defined", name=name)


@pytest.mark.parametrize(
    ("name", "first_line"),
    [("http", "import requests as http"), ("panel", "panel = Panel()"), ("ask", "def ask(who):")],
)
def test_the_sentence_names_the_cell_that_makes_the_name(notebook: Path, name: str, first_line: str) -> None:
    assert notebook.exists()
    assert f"begins with\n    {first_line}\nRun" in out_of_order(name_error(name))


def test_a_cell_below_the_one_that_is_running_is_not_meant(notebook: Path) -> None:
    assert "begins with\n    panel = Panel()" in out_of_order(name_error("panel"), "print(panel)\n")
    assert out_of_order(name_error("ask"), "panel = Panel()\npanel") == ""
    assert notebook.exists()


def test_a_deleted_cell_is_found_in_the_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the optional PKCE cell at the end of 03 would be named: it makes a `request`, too."""
    original = json.loads((REPOSITORY / "notebooks" / "03-exchange.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in original["cells"]]
    stolen = next(source for source in sources if source.startswith("import requests\n"))
    form = next(source for source in sources if source.startswith("ExchangeForm("))
    original["cells"] = [cell for cell in original["cells"] if "".join(cell["source"]) != stolen]
    copy = tmp_path / "03-exchange.ipynb"
    copy.write_text(json.dumps(original), encoding="utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", str(copy))
    for name in ("request", "response"):
        assert "begins with\n    import requests\nRun" in out_of_order(name_error(name), form)


@pytest.mark.parametrize("name", ["pannel", "print", "text"])
def test_a_typo_is_no_matter_of_order(notebook: Path, name: str) -> None:
    assert notebook.exists()
    assert out_of_order(name_error(name)) == ""


@pytest.mark.parametrize("content", ["", "[]", "{", '{"cells": [{}]}'])
def test_a_notebook_that_cannot_be_read_is_no_second_error(notebook: Path, content: str) -> None:
    notebook.write_text(content)
    assert out_of_order(name_error("panel")) == ""


def test_without_a_notebook_there_is_nothing_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert out_of_order(name_error("panel")) == ""


def test_in_the_notebook_it_takes_the_place_of_the_stack_trace(
    notebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    atexit.unregister(shell.atexit_operations)  # it belongs to this test
    try:
        explain_errors()
        shell.run_cell("print(panel)")
        said = capsys.readouterr()
        assert "Run that cell first." in said.out + said.err
        assert "Traceback" not in said.out + said.err
        shell.run_cell("print(pannel)")
        said = capsys.readouterr()
        assert "pannel" in said.out + said.err
        assert "NameError" in said.out + said.err
    finally:
        InteractiveShell.clear_instance()
    assert notebook.exists()
