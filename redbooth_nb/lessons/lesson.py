"""The parts a lesson is made of. Each stage's own questions and requirements stand in the module named after it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """Something that is so or not, whoever clicked what. hints: two hints, then the answer."""

    text: str
    holds: bool
    hints: tuple[str, str, str]


@dataclass(frozen=True)
class Question:
    """A prediction. choices: what may happen; right: the number of the one that does, from 1. because: why."""

    prompt: str
    choices: tuple[str, ...]
    right: int
    because: str


@dataclass(frozen=True)
class Lesson:
    """One stage: its name and notebook, the facts that show it is done, and its questions by name."""

    stage: str
    notebook: str
    requirements: Callable[[], list[Requirement]]
    questions: dict[str, Question]
