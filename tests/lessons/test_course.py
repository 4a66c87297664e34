"""The lessons' data: what cannot be used is refused when it is read, and every hint works in its own notebook."""

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from redbooth_nb.lessons.course import LESSONS, QUESTIONS, TEXTS
from redbooth_nb.lessons.explain import _defined_by
from redbooth_nb.lessons.lesson import HINTS, Question, Wording, from_table

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUESTION = {"prompt": "What?", "choices": ["this", "that"], "right": 2, "because": "So it is.", "wrong": ["It is not."]}
WORDING = {"met": "Done.", "missing": "Not {done}.", "hints": ["a", "b", "c"]}


@dataclass(frozen=True)
class Optional:
    name: str
    more: str = "nothing"


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (Question, QUESTION | {"right": 3}),
        (Question, QUESTION | {"right": 0}),
        (Question, QUESTION | {"wrong": []}),
        (Question, QUESTION | {"right": "2"}),
        (Question, QUESTION | {"choices": ["this", "this"]}),
        (Question, QUESTION | {"choices": "this"}),
        (Question, QUESTION | {"becuase": "a typo"}),
        (Question, {name: value for name, value in QUESTION.items() if name != "because"}),
        (Wording, WORDING | {"hints": ["a", "b"]}),
        (Wording, WORDING | {"met": 1}),
        (Wording, {}),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_and_named(kind: type, table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^break-it\.garbled: "):
        from_table(kind, "break-it.garbled", table)


def test_a_table_becomes_an_object() -> None:
    assert from_table(Question, "x", QUESTION) == Question("What?", ("this", "that"), 2, "So it is.", ("It is not.",))
    assert from_table(Wording, "x", WORDING).requirement(holds=False, done="yet").text == "Not yet."
    assert from_table(Optional, "x", {"name": "n"}) == Optional("n")


@pytest.mark.parametrize("stage", LESSONS)
def test_every_lesson_is_complete(stage: str) -> None:
    """Each question ends with a question mark, each sentence with a full stop, and no two hints are the same."""
    assert LESSONS[stage].stage == stage
    assert (NOTEBOOKS / f"{LESSONS[stage].notebook}.ipynb").is_file()
    assert TEXTS[stage].keys() == {"notebook", "requirements", "questions"}
    for question in LESSONS[stage].questions.values():
        assert question.prompt.endswith("?")
        assert question.because.endswith(".")
        assert all(why.endswith(".") for why in question.wrong)
        assert len({question.reply(number) for number in range(1, len(question.choices) + 1)}) == len(question.choices)
    for table in TEXTS[stage]["requirements"].values():
        assert len(set(table["hints"])) == HINTS


def test_no_two_questions_have_the_same_name() -> None:
    assert len(QUESTIONS) == sum(len(lesson.questions) for lesson in LESSONS.values())


def calls_in(hint: str) -> Iterator[ast.expr]:
    """Parse every call that a hint names: from its name to the parenthesis that closes it."""
    for start in re.finditer(r"(?<![\w.])[A-Za-z_][\w.]*\(", hint):
        for end in range(start.end(), len(hint) + 1):
            try:
                yield ast.parse(hint[start.start() : end], mode="eval").body
            except SyntaxError:
                continue
            break
        else:
            pytest.fail(f"This is not Python: {hint[start.start() :]}")


def names_in(call: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(call) if isinstance(node, ast.Name)} - set(dir(builtins))


def defined_in(notebook: str) -> set[str]:
    """Return what the cells of a notebook import or define."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    return {name for cell in cells if cell.cell_type == "code" for name in _defined_by(cell.source)}


def test_the_calls_in_a_hint_are_found() -> None:
    found = list(calls_in("Run f(x, 'a)') on the sandbox (or g.h())."))
    assert [ast.unparse(call) for call in found] == ["f(x, 'a)')", "g.h()"]
    assert set().union(*map(names_in, found)) == {"f", "x", "g"}


@pytest.mark.parametrize("stage", LESSONS)
def test_every_hint_works_when_it_is_typed_in_its_notebook(stage: str) -> None:
    """Whatever a hint calls is imported or defined in that notebook."""
    hints = [hint for table in TEXTS[stage]["requirements"].values() for hint in table["hints"]]
    unknown = {
        (name, hint)
        for hint in hints
        for call in calls_in(hint)
        for name in names_in(call) - defined_in(LESSONS[stage].notebook)
    }
    assert unknown == set()


@pytest.mark.parametrize("stage", list(LESSONS)[1:-1])
def test_what_an_error_suggests_works_in_every_lesson_after_the_start(stage: str) -> None:
    """See `In this course: ... or run catch_up(...)` in explain.py."""
    assert "catch_up" in defined_in(LESSONS[stage].notebook)
