"""What a notebook in git looks like: nothing of a machine in it, outputs that can be compared, more prose than code."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from notebooks.lessons import NAMES, ROOT, code_cells, text_of

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
COMPARABLE = {"text/plain", "text/html"}  # no widget, whose number differs; pictures stand inside the HTML
LONGEST_CELL = 12  # lines
WORDS_PER_LINE = 8  # of prose for each line of code, at least
MACHINE = re.compile(r"(?<![\w:/])/(?:home|root|Users|tmp|var|opt|usr|work)/|\b[A-Z]:\\|site-packages")
OTHER_PORT = re.compile(r"(?:127\.0\.0\.1|localhost):(?!(?:8765|9000)\b)\d+")


@pytest.fixture(params=NAMES)
def path(request: pytest.FixtureRequest) -> Path:
    """Return the notebooks one after the other."""
    found: Path = ROOT / "notebooks" / f"{request.param}.ipynb"
    return found


@pytest.fixture
def notebook(path: Path) -> nbformat.NotebookNode:
    """Return what a notebook holds."""
    return nbformat.read(path, as_version=4)


def outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def test_there_are_the_four_stages_and_a_beginning() -> None:
    assert NAMES[:5] == ("00-start-here", "01-register", "02-authorize", "03-exchange", "04-refresh")


def test_it_is_a_valid_notebook_with_the_least_metadata(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    assert [dict(cell.metadata) for cell in notebook.cells if cell.metadata] == []


def test_every_code_cell_was_run_in_order(notebook: nbformat.NotebookNode) -> None:
    """A cell without a number is one whose output nbval does not compare."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_its_outputs_are_text_and_no_errors(notebook: nbformat.NotebookNode) -> None:
    kinds = {output.output_type for output in outputs(notebook)}
    assert kinds <= {"stream", "execute_result", "display_data"}
    assert {mime for output in outputs(notebook) for mime in output.get("data", {})} <= COMPARABLE
    assert [output.text for output in outputs(notebook) if output.get("name") == "stderr"] == []


def test_its_outputs_name_no_machine(notebook: nbformat.NotebookNode) -> None:
    """No path, and no port but those of redirect URIs, the learner's and a ticket's: others differ between machines."""
    shown = "\n".join(text_of(output) for output in outputs(notebook))
    assert MACHINE.findall(shown) == []
    assert OTHER_PORT.findall(shown) == []


def test_its_outputs_do_not_contradict_those_of_another(notebook: nbformat.NotebookNode) -> None:
    """Each was made with nothing done before, so none says how far the learner is."""
    assert "Lessons  " not in "\n".join(text_of(output) for output in outputs(notebook))


@pytest.mark.parametrize("found", ["/home/ada/x", "in /tmp/state", "C:\\Users", "lib/site-packages/x"])
def test_a_path_of_a_machine_would_be_found(found: str) -> None:
    assert MACHINE.search(found)
    assert not MACHINE.search("https://redbooth.com/api/3/me http://127.0.0.1:8765/callback ../.env.example")


def test_it_reads_as_a_lesson(notebook: nbformat.NotebookNode) -> None:
    """It begins with a title and ends with a summary, code comes in small bites, and there is far more prose."""
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    code = [cell.source.splitlines() for cell in code_cells(notebook)]
    assert notebook.cells[0].source.startswith("# ")
    assert "## You can now" in notebook.cells[-1].source
    assert max(len(lines) for lines in code) <= LONGEST_CELL
    own = [lines for lines in code if not lines[-1].startswith("ticket(")]  # a ticket's code is what it is about
    assert len(" ".join(prose).split()) >= WORDS_PER_LINE * sum(len(lines) for lines in own)


def test_it_leads_to_files_that_are_there(path: Path, notebook: nbformat.NotebookNode) -> None:
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)\s]+)", prose) + re.findall(r"(?:src|href)=\"([^\"]+)\"", prose)
    missing = [t for t in targets if not urlsplit(t).scheme and t[0] != "#" and not leads_somewhere(path, t)]
    assert missing == []


def leads_somewhere(notebook: Path, target: str) -> bool:
    return (notebook.parent / unquote(urlsplit(target).path)).exists()


def test_each_lesson_leads_to_the_next() -> None:
    """The last one leads nowhere."""
    for name, following in pairwise(NAMES):
        text = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        assert f"({following}.ipynb)" in text, name
