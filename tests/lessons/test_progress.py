"""Progress: a lesson is done when its check finds nothing left to do, and every notebook knows."""

import json
from pathlib import Path

import pytest
from practice import write_own

from redbooth_nb import catch_up, check, progress, ready
from redbooth_nb.client.private_file import PrivateFile
from redbooth_nb.configuration import Configuration
from redbooth_nb.lessons.course import LESSONS, done, summary_line

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def note() -> Path:
    return Configuration.read().state_dir / "progress.json"


def note_done(stage: str) -> None:
    PrivateFile(note()).write({"done": [*done(), stage]})


def test_every_lesson_names_its_notebook() -> None:
    assert list(LESSONS.values()) == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def test_a_check_that_finds_all_done_counts(capsys: pytest.CaptureFixture[str]) -> None:
    check("register")
    assert done() == []
    write_own("register")
    assert "Lessons" not in capsys.readouterr().out
    catch_up("authorize")
    check("register")
    assert done() == ["register"]
    assert capsys.readouterr().out.endswith(f"Lessons  1 of {len(LESSONS)} done; next is 02-authorize.\n")
    check("start")
    check("register")
    assert capsys.readouterr().out.endswith(f"Lessons  2 of {len(LESSONS)} done; next is 02-authorize.\n")


def test_the_next_notebook_says_how_far_you_are(capsys: pytest.CaptureFixture[str]) -> None:
    ready("start")
    assert "Lessons" not in capsys.readouterr().out  # nothing to boast of yet
    note_done("start")
    ready("register")
    assert f"Lessons  1 of {len(LESSONS)} done; next is 01-register." in capsys.readouterr().out


def test_the_whole_course_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    for stage in reversed(LESSONS):
        assert summary_line(list(LESSONS)[-1]).endswith(("", "next is 00-start-here.")[bool(done())])
        note_done(stage)
    assert done() == list(LESSONS)
    assert summary_line("start") == f"Lessons  {len(LESSONS)} of {len(LESSONS)} done; that was the whole course."
    progress()
    assert capsys.readouterr().out.count("Done     ") == len(LESSONS)


def test_what_is_open_is_shown_as_open(capsys: pytest.CaptureFixture[str]) -> None:
    note_done("register")
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["To do    00-start-here", "Done     01-register", "To do    02-authorize"]


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 1, "done": ["no such stage"]}'])
def test_a_damaged_note_stops_no_lesson(content: str) -> None:
    note_done("register")
    note().write_text(content)
    assert done() == []
    check("start")
    assert json.loads(note().read_text())["done"] == ["start"]
