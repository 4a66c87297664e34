"""R55: A learner's work dirties no repository, and no update overwrites it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
import pytest

from redbooth_nb.client import private_file
from redbooth_nb.client.private_file import locked
from redbooth_nb.errors import RedboothError
from redbooth_nb.working_copies import FOLDER, LOCK, NOTE, REPOSITORY, refresh_working_copies

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
    with pytest.raises(RedboothError, match=r"Your working copies could not be saved in .*my-notebooks \("):
        refresh_working_copies(repository)
    assert (repository / FOLDER).read_text() == "in the way"


# Updates


def update(repository: Path, text: str = "new in this version") -> None:
    """Let every lesson change, as a pull does."""
    for original in (repository / "notebooks").glob("*.ipynb"):
        add_cell(original, text)


def run_and_save(notebook: Path) -> None:
    """Do what JupyterLab does when a learner runs the cells and saves."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for number, cell in enumerate(cell for cell in content["cells"] if cell["cell_type"] == "code"):
        cell["execution_count"], cell["metadata"] = number, {"trusted": True}
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["done"]}]
        cell["source"] = "".join(cell["source"])
    content["metadata"]["kernelspec"] = {"name": "another", "display_name": "Another"}
    notebook.write_text(json.dumps(content, indent=3), encoding="utf-8")


def text_of(notebook: Path) -> str:
    return notebook.read_text(encoding="utf-8")


def new(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.new*.ipynb"))


def test_running_and_saving_is_no_change_of_ones_own(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = refresh_working_copies(repository)
    run_and_save(folder / NAME)
    before = text_of(folder / NAME)
    refresh_working_copies(repository)
    assert text_of(folder / NAME) == before  # nothing is new: the outputs stay
    update(repository)
    refresh_working_copies(repository)
    assert "new in this version" in text_of(folder / NAME)
    assert new(folder) == []
    assert capsys.readouterr().err == ""


OWN = {
    "a tag": lambda content: content["cells"][0]["metadata"].update(tags=["mine"]),
    "an attachment": lambda content: content["cells"][0].update(attachments={"a.png": {"image/png": "aGk="}}),
    "the notebook's metadata": lambda content: content["metadata"].update(title="mine"),
    "a kind": lambda content: content["cells"][0].update(cell_type="raw"),
}


@pytest.mark.parametrize("change", OWN)
def test_whatever_is_not_an_output_is_a_change_of_ones_own(repository: Path, change: str) -> None:
    folder = refresh_working_copies(repository)
    content = json.loads(text_of(folder / NAME))
    OWN[change](content)
    (folder / NAME).write_text(json.dumps(content), encoding="utf-8")
    update(repository)
    refresh_working_copies(repository)
    assert json.loads(text_of(folder / NAME)) == content
    assert new(folder) == ["03-exchange.new.ipynb"]


def test_what_jupyter_writes_by_itself_is_no_change(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    content = json.loads(text_of(folder / NAME))
    content["nbformat_minor"] = 4
    content["metadata"] |= {"widgets": {"a": {"state": {}}}, "language_info": {"version": "3.99"}}
    for number, cell in enumerate(content["cells"]):
        cell["id"], cell["attachments"] = f"another-{number}", {}
        cell["metadata"] |= {"execution": {"iopub.status.busy": "now"}, "collapsed": True, "scrolled": False}
        cell["metadata"]["jupyter"] = {"outputs_hidden": True}
    (folder / NAME).write_text(json.dumps(content), encoding="utf-8")
    update(repository)
    refresh_working_copies(repository)
    assert "new in this version" in text_of(folder / NAME)
    assert new(folder) == []


def test_a_folder_that_the_learner_put_elsewhere_is_followed(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repository / FOLDER).symlink_to(tmp_path / "elsewhere")
    refresh_working_copies(repository)
    assert (tmp_path / "elsewhere" / NAME).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pipes in folders")
def test_a_note_that_is_a_pipe_is_not_waited_for(repository: Path) -> None:
    (repository / FOLDER).mkdir()
    os.mkfifo(repository / FOLDER / NOTE)
    command = [sys.executable, "-c", AT_ONCE, str(repository)]
    subprocess.run(command, input="go\n", text=True, stdout=subprocess.DEVNULL, check=True, timeout=60)  # noqa: S603
    assert NAME in json.loads((repository / FOLDER / NOTE).read_text())


def test_an_update_that_was_not_taken_is_said_once_and_put_beside(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    refresh_working_copies(repository)
    assert (new(folder), capsys.readouterr().err) == ([], "")  # nothing is new yet
    update(repository)
    refresh_working_copies(repository)
    said = "03-exchange.ipynb has your changes; it was left alone, and the new version is in 03-exchange.new.ipynb.\n"
    assert capsys.readouterr().err == said
    assert "my own note" in text_of(folder / NAME)
    assert "new in this version" in text_of(folder / "03-exchange.new.ipynb")
    (folder / "03-exchange.new.ipynb").unlink()
    refresh_working_copies(repository)
    assert (new(folder), capsys.readouterr().err) == ([], "")  # the learner put it away


def test_what_the_learner_wrote_in_the_new_version_stays_too(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    for version in ("second", "third"):
        update(repository, version)
        refresh_working_copies(repository)
        add_cell(folder / "03-exchange.new.ipynb", f"my note in the {version}")
    assert new(folder) == ["03-exchange.new.ipynb", "03-exchange.new1.ipynb"]
    assert "my note in the second" in text_of(folder / "03-exchange.new.ipynb")
    assert "third" in text_of(folder / "03-exchange.new1.ipynb")


def test_taking_the_new_version_ends_it(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = refresh_working_copies(repository)
    add_cell(folder / NAME, "my own note")
    update(repository)
    refresh_working_copies(repository)
    (folder / "03-exchange.new.ipynb").replace(folder / NAME)
    update(repository, "a third version")
    capsys.readouterr()
    refresh_working_copies(repository)
    assert "a third version" in text_of(folder / NAME)
    assert (new(folder), capsys.readouterr().err) == ([], "")


# Files in the way


def conflict(copy: Path) -> None:
    copy.write_text("<<<<<<< mine\n" + text_of(copy) + "=======\n>>>>>>> theirs\n", encoding="utf-8")


def replaced_by_a_link(copy: Path) -> None:
    copy.replace(copy.parents[1] / "elsewhere.ipynb")
    copy.symlink_to("../elsewhere.ipynb")


def replaced_by_a_link_to_nothing(copy: Path) -> None:
    copy.unlink()
    copy.symlink_to("../nowhere.ipynb")


def replaced_by_a_folder(copy: Path) -> None:
    copy.unlink()
    copy.mkdir()


def replaced_by_a_pipe(copy: Path) -> None:
    copy.unlink()
    os.mkfifo(copy)


OTHER_JSON = {"other JSON": '{"cells": [[]]}', "a list": "[]", "wrong metadata": '{"metadata": [], "cells": []}'}
OBSTACLES: dict[str, Callable[[Path], object]] = {
    "a merge conflict": conflict,
    **{name: partial(Path.write_text, data=text) for name, text in OTHER_JSON.items()},
    "no JSON": lambda copy: copy.write_text("my own words"),
    "deep JSON": lambda copy: copy.write_text("[" * 100_000),
    "no text": lambda copy: copy.write_bytes(b"\xff\xfe"),
    "a link": replaced_by_a_link,
    "a dangling link": replaced_by_a_link_to_nothing,
    "a folder": replaced_by_a_folder,
    "a pipe": replaced_by_a_pipe,
    "read-only": lambda copy: copy.chmod(0o444),
}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pipes in folders")
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_copy_that_cannot_be_replaced_is_a_sentence_and_the_start_goes_on(
    repository: Path, capsys: pytest.CaptureFixture[str], obstacle: str
) -> None:
    """Nothing is written through it, and the learner gets the new version beside it."""
    folder = refresh_working_copies(repository)
    OBSTACLES[obstacle](folder / NAME)
    before = (folder / NAME).lstat()
    elsewhere = repository / "elsewhere.ipynb"
    there = elsewhere.read_bytes() if elsewhere.exists() else None
    update(repository)
    refresh_working_copies(repository)
    (sentence,) = capsys.readouterr().err.splitlines()
    changed = "has your changes" if obstacle in OTHER_JSON else "is a link, read-only, or no longer a notebook"
    assert sentence.startswith(f"03-exchange.ipynb {changed}; ")
    assert sentence.endswith("left alone, and the new version is in 03-exchange.new.ipynb.")
    after = (folder / NAME).lstat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == there
    assert not (repository / "nowhere.ipynb").exists()
    assert "new in this version" in text_of(folder / "03-exchange.new.ipynb")
    assert "new in this version" in text_of(folder / "04-refresh.ipynb")
    refresh_working_copies(repository)
    assert capsys.readouterr().err == ""  # said once
    assert new(folder) == ["03-exchange.new.ipynb"]


def test_a_copy_that_may_not_be_read_is_a_sentence(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = refresh_working_copies(repository)
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == folder / NAME:
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    update(repository)
    refresh_working_copies(repository)
    assert "03-exchange.ipynb is a link, read-only, or no longer a notebook; it was left" in capsys.readouterr().err
    assert "new in this version" in text_of(folder / "04-refresh.ipynb")


@pytest.mark.parametrize("content", [b"<<<<<<< mine\n{}", b"{}", b"\xff"])
def test_a_lesson_that_is_no_notebook_is_a_sentence(
    repository: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (repository / "notebooks" / NAME).write_bytes(content)
    folder = refresh_working_copies(repository)
    assert "03-exchange.ipynb cannot be read" in capsys.readouterr().err
    assert not (folder / NAME).exists()
    assert (folder / "04-refresh.ipynb").exists()


@pytest.mark.parametrize("name", [NOTE, f".{NAME}.part"])
def test_no_file_of_the_kits_own_is_written_through_a_link(repository: Path, name: str) -> None:
    (repository / FOLDER).mkdir()
    (repository / "precious").write_text("mine")
    (repository / FOLDER / name).symlink_to("../precious")
    refresh_working_copies(repository)
    assert (repository / "precious").read_text() == "mine"


# A disk that is full, starts at the same time, and starts that are killed


@pytest.mark.parametrize("left", [0, 1, 4_096])
def test_a_copy_that_was_cut_off_is_mended(repository: Path, left: int, capsys: pytest.CaptureFixture[str]) -> None:
    folder = refresh_working_copies(repository)
    whole = (folder / NAME).read_bytes()
    assert len(whole) > left
    (folder / NAME).write_bytes(whole[:left])
    refresh_working_copies(repository)
    assert (folder / NAME).read_bytes() == whole
    assert capsys.readouterr().err == ""


LIMITED = """
import pathlib, resource, signal, sys
from redbooth_nb.working_copies import RedboothError, refresh_working_copies
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails, as on a disk that is full
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    refresh_working_copies(pathlib.Path(sys.argv[1]))
except RedboothError as error:
    print(error)
    sys.exit(3)
"""
AT_ONCE = """
import pathlib, sys
from redbooth_nb.working_copies import refresh_working_copies
print("ready", flush=True)
sys.stdin.readline()
refresh_working_copies(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX")
def test_a_full_disk_leaves_whole_copies_and_the_next_start_goes_on(repository: Path) -> None:
    folder = refresh_working_copies(repository)
    sizes = [path.stat().st_size for path in sorted(folder.glob("*.ipynb"))]
    shutil.rmtree(folder)
    limit = str(max(sizes) - 1)  # so that the longest one does not fit
    command = [sys.executable, "-c", LIMITED, str(repository), limit]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 3, done.stderr
    assert "could not be saved in" in done.stdout
    assert "space on the disk" in done.stdout
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []
    copies = sorted(path.name for path in folder.glob("*.ipynb"))
    assert len(copies) == sizes.index(max(sizes)) > 0
    for name in copies:
        nbformat.validate(nbformat.read(folder / name, as_version=4))
    assert sorted(json.loads((folder / NOTE).read_text())) == copies
    refresh_working_copies(repository)
    assert len(json.loads((folder / NOTE).read_text())) == len(sizes)
    update(repository)
    refresh_working_copies(repository)
    assert all("new in this version" in text_of(path) for path in folder.glob("*.ipynb"))
    assert new(folder) == []


def test_starts_at_the_same_time_keep_one_whole_note(repository: Path) -> None:
    command = [sys.executable, "-c", AT_ONCE, str(repository)]
    for version in range(3):
        starts = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
            for _ in range(4)
        ]
        for start in starts:
            assert start.stdout is not None
            assert start.stdout.readline() == b"ready\n"
        for start in starts:
            assert start.stdin is not None
            start.stdin.write(b"go\n")
            start.stdin.flush()
        for start in starts:
            start.communicate(timeout=60)
        assert [start.returncode for start in starts] == [0] * len(starts)
        noted = json.loads((repository / FOLDER / NOTE).read_text())
        assert len(noted) == len(list((repository / "notebooks").glob("*.ipynb")))
        assert new(repository / FOLDER) == []
        update(repository, f"version {version}")


def test_what_a_killed_start_left_is_replaced(repository: Path) -> None:
    folder = repository / FOLDER
    folder.mkdir()
    (folder / f".{NAME}.part").write_text("half of")
    refresh_working_copies(repository)
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []


def test_a_start_that_waits_too_long_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_file, "LOCK_SECONDS", 0)
    lock = locked(repository / FOLDER / LOCK)
    with lock, ThreadPoolExecutor(1) as another, pytest.raises(RedboothError, match="is using the files in"):
        another.submit(refresh_working_copies, repository).result()


@pytest.mark.skipif(sys.platform == "win32", reason="links are POSIX")
def test_a_link_in_place_of_the_lock_is_named(repository: Path) -> None:
    (repository / FOLDER).mkdir()
    (repository / "precious").write_text("mine")
    (repository / FOLDER / LOCK).symlink_to("../precious")
    with pytest.raises(RedboothError, match="is a link to another file"):
        refresh_working_copies(repository)
    assert (repository / "precious").read_text() == "mine"
