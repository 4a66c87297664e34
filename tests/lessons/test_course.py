"""The lessons' data: each table can be used as it is, and every hint works in its own notebook."""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from redbooth_nb.lessons.course import _FINDINGS, LESSONS, QUESTIONS, TEXTS
from redbooth_nb.lessons.source import defined_by
from redbooth_nb.lessons.try_out import EXERCISES

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STAGES = list(LESSONS)[:5]  # the introduction and the four stages
HINTS = 3  # two hints, then the answer
QUESTION_FIELDS = {"prompt": str, "choices": list, "right": int, "because": str, "wrong": list}
WORDING_FIELDS = {"met": str, "missing": str, "hints": list}


def faults(table: dict[str, Any], fields: dict[str, type]) -> list[str]:
    """Return the fields of a table that are missing, unknown or of the wrong type, and those that make no sense."""
    wrong = sorted(table.keys() ^ fields.keys())
    wrong += [name for name in table.keys() & fields.keys() if not isinstance(table[name], fields[name])]
    texts = [text for value in table.values() if isinstance(value, list) for text in value]
    wrong += ["a text"] if not all(isinstance(text, str) for text in texts) else []
    wrong += ["the same twice"] if len(set(texts)) != len(texts) else []
    wrong += ["hints"] if not wrong and "hints" in fields and len(table["hints"]) != HINTS else []
    wrong += ["right"] if not wrong and "right" in fields and not 1 <= table["right"] <= len(table["choices"]) else []
    wrong += ["wrong"] if not wrong and "wrong" in fields and len(table["wrong"]) != len(table["choices"]) - 1 else []
    return wrong


QUESTION = {"prompt": "What?", "choices": ["this", "that"], "right": 2, "because": "So it is.", "wrong": ["It is not."]}
WORDING = {"met": "Done.", "missing": "Not {done}.", "hints": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("fields", "table"),
    [
        (QUESTION_FIELDS, QUESTION | {"right": 3}),
        (QUESTION_FIELDS, QUESTION | {"right": 0}),
        (QUESTION_FIELDS, QUESTION | {"wrong": []}),
        (QUESTION_FIELDS, QUESTION | {"right": "2"}),
        (QUESTION_FIELDS, QUESTION | {"choices": ["this", "this"]}),
        (QUESTION_FIELDS, QUESTION | {"choices": "this"}),
        (QUESTION_FIELDS, QUESTION | {"becuase": "a typo"}),
        (QUESTION_FIELDS, {name: value for name, value in QUESTION.items() if name != "because"}),
        (WORDING_FIELDS, WORDING | {"hints": ["a", "b"]}),
        (WORDING_FIELDS, WORDING | {"met": 1}),
        (WORDING_FIELDS, {}),
    ],
)
def test_a_table_that_cannot_be_used_is_noticed(fields: dict[str, type], table: dict[str, Any]) -> None:
    assert faults(table, fields)


@pytest.mark.parametrize("stage", LESSONS)
def test_every_table_can_be_used(stage: str) -> None:
    for name, table in TEXTS[stage]["questions"].items():
        assert faults(table, QUESTION_FIELDS) == [], name
    for name, table in TEXTS[stage]["requirements"].items():
        assert faults(table, WORDING_FIELDS) == [], name


@pytest.mark.parametrize("stage", LESSONS)
def test_every_lesson_is_complete(stage: str) -> None:
    """Each question ends with a question mark, and each sentence with a full stop."""
    assert (NOTEBOOKS / f"{LESSONS[stage]}.ipynb").is_file()
    assert TEXTS[stage].keys() == {"notebook", "needs", "requirements", "questions"}
    assert TEXTS[stage]["needs"] in {"", "app", "code", "token"}
    assert stage in _FINDINGS, "it has no check in course.py"
    for name in TEXTS[stage]["questions"]:
        question = QUESTIONS[name]
        assert question.prompt.endswith("?")
        assert question.because.endswith(".")
        assert all(why.endswith(".") for why in question.wrong)
        assert len(set(question.wrong)) == len(question.wrong)


def test_no_two_questions_have_the_same_name() -> None:
    assert len(QUESTIONS) == sum(len(TEXTS[stage]["questions"]) for stage in LESSONS)


def test_guessing_a_position_does_not_help() -> None:
    """Fifteen to twenty questions, and the right answers are spread evenly over the positions."""
    positions = Counter(question.right for question in QUESTIONS.values())
    assert 15 <= positions.total() <= 20
    assert set(positions) == {1, 2, 3}
    assert max(positions.values()) - min(positions.values()) <= 1


@pytest.mark.parametrize("stage", STAGES)
def test_length_gives_nothing_away(stage: str) -> None:
    for name in TEXTS[stage]["questions"]:
        lengths = [len(choice) for choice in QUESTIONS[name].choices]
        assert max(lengths) < 1.4 * min(lengths), name


@pytest.mark.parametrize("stage", LESSONS)
def test_every_question_is_asked_once_and_the_next_cell_settles_it(stage: str) -> None:
    """The next code cell runs something; it is not another question, and not the check."""
    cells = nbformat.read(NOTEBOOKS / f"{LESSONS[stage]}.ipynb", as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    asked = [source for source in code if source.startswith("predict(")]
    assert sorted(asked) == sorted(f'predict("{name}")' for name in TEXTS[stage]["questions"])
    following = [code[code.index(source) + 1] for source in asked]
    assert [source for source in following if source.startswith(("predict(", "check("))] == []


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
    return {name for cell in cells if cell.cell_type == "code" for name in defined_by(cell.source)}


def test_the_calls_in_a_hint_are_found() -> None:
    found = list(calls_in("Run f(x, 'a)') in the sandbox (or g.h())."))
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
        for name in names_in(call) - defined_in(LESSONS[stage])
    }
    assert unknown == set()


def test_what_is_said_of_the_functions_of_the_learners_app_can_be_used() -> None:
    words = TEXTS["own"]
    assert faults({name: words[name] for name in WORDING_FIELDS}, WORDING_FIELDS) == []
    for stage in {exercise["stage"] for exercise in EXERCISES.values()}:
        assert {name for hint in words["hints"] for call in calls_in(hint) for name in names_in(call)} <= defined_in(
            LESSONS[stage]
        )


@pytest.mark.parametrize("stage", sorted({*LESSONS} - {"start", "help-desk", "your-own-app"}))
def test_what_an_error_suggests_works_in_every_lesson_after_the_start(stage: str) -> None:
    """See `In this course: ... or run catch_up(...)` in explain.py."""
    assert "catch_up" in defined_in(LESSONS[stage])
