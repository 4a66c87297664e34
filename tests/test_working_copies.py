"""A learner's work dirties no repository, and no update overwrites it."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from redbooth_nb.errors import RedboothError
from redbooth_nb.working_copies import FOLDER, NOTE, REPOSITORY, refresh_working_copies

NAME = "03-exchange.ipynb"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of the repository's lessons."""
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    return tmp_path


def add_cell(notebook: Path, text: str) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"].append({"cell_type": "markdown", "id": "added", "metadata": {}, "source": [text]})
    notebook.write_text(json.dumps(content), encoding="utf-8")


def test_every_lesson_is_copied_without_its_outputs(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    assert folder == repository / FOLDER
    originals = sorted((repository / "notebooks").glob("*.ipynb"))
    assert [path.name for path in sorted(folder.glob("*.ipynb"))] == [path.name for path in originals]
    for original in originals:
        lesson, copy = (nbformat.read(path, as_version=4) for path in (original, folder / original.name))
        nbformat.validate(copy)
        assert [cell.source for cell in copy.cells] == [cell.source for cell in lesson.cells]
        code = [cell for cell in copy.cells if cell.cell_type == "code"]
        assert [cell.outputs for cell in code] == [[]] * len(code)
        assert {cell.execution_count for cell in code} == {None}


def test_the_originals_are_not_touched(repository: Path) -> None:
    before = {path: path.read_bytes() for path in (repository / "notebooks").rglob("*") if path.is_file()}
    refresh_working_copies(repository)
    refresh_working_copies(repository)
    after = {path: path.read_bytes() for path in (repository / "notebooks").rglob("*") if path.is_file()}
    assert after == before


def test_a_copy_that_was_changed_stays_and_the_others_follow(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    mine = (folder / NAME).read_bytes()
    for original in (repository / "notebooks").glob("*.ipynb"):
        add_cell(original, "new in this version")
    refresh_working_copies(repository)
    assert (folder / NAME).read_bytes() == mine
    assert "new in this version" in (folder / "00-start-here.ipynb").read_text(encoding="utf-8")


def test_a_changed_copy_stays_for_ever(repository: Path) -> None:
    """Not only the first time after the change."""
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    for _ in range(3):
        refresh_working_copies(repository)
    assert "my own note" in (folder / NAME).read_text(encoding="utf-8")


def test_a_copy_that_was_thrown_away_comes_back(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    (folder / NAME).unlink()
    refresh_working_copies(repository)
    assert "my own note" not in (folder / NAME).read_text(encoding="utf-8")


@pytest.mark.parametrize("note", ["", "{", "[]", "null", '{"03-exchange.ipynb": 7}'])
def test_without_a_readable_note_nothing_is_overwritten(repository: Path, note: str) -> None:
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    (folder / NOTE).write_text(note)
    refresh_working_copies(repository)
    assert "my own note" in (folder / NAME).read_text(encoding="utf-8")


def test_what_else_is_in_the_folder_stays(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    (folder / "mine.ipynb").write_text("{}")
    (folder / "mine.py").write_text("print()")
    refresh_working_copies(repository)
    assert (folder / "mine.ipynb").read_text() == "{}"
    assert (folder / "mine.py").exists()


def test_a_copy_that_is_no_text_any_more_stays(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    (folder / NAME).write_bytes(b"\xff\xfe broken")
    refresh_working_copies(repository)
    assert (folder / NAME).read_bytes() == b"\xff\xfe broken"


def test_without_lessons_the_remedy_is_a_clone(tmp_path: Path) -> None:
    with pytest.raises(RedboothError, match=r"There are no lessons in(.|\n)*inside a clone"):
        refresh_working_copies(tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_where_nothing_can_be_written_it_says_so(repository: Path) -> None:
    """A file stands in the folder's place: an administrator may write anywhere, but not there."""
    (repository / FOLDER).write_text("in the way")
    with pytest.raises(RedboothError, match=r"The working copies cannot be written to .*my-notebooks \("):
        refresh_working_copies(repository)
    assert (repository / FOLDER).read_text() == "in the way"


def test_a_folder_in_the_place_of_a_copy_is_a_sentence(repository: Path) -> None:
    (repository / FOLDER / NAME).mkdir(parents=True)
    with pytest.raises(RedboothError, match="cannot be written"):
        refresh_working_copies(repository)
