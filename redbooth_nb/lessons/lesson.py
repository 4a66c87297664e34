"""The parts of a lesson, and how they are read from a data file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_origin, get_type_hints

from redbooth_nb.errors import RedboothError

HINTS = 3  # two hints, then the answer
T = TypeVar("T")
# a requirement's name, whether it holds, and the values for the placeholders of its wording
Findings = Iterator[tuple[str, bool, dict[str, str]]]


@dataclass(frozen=True)
class Requirement:
    """Something that is true or not, no matter what was clicked. hints: two hints, then the answer."""

    text: str
    holds: bool
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Wording:
    """How a check words a requirement. met, missing: a sentence for each case, with {placeholders}."""

    met: str
    missing: str
    hints: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError when hints are missing."""
        if len(self.hints) != HINTS:
            raise ValueError(f"{len(self.hints)} hints")

    def requirement(self, *, holds: bool, **values: str) -> Requirement:
        """Return the requirement in words. values: for the placeholders."""
        return Requirement((self.met if holds else self.missing).format_map(values), holds, self.hints)


@dataclass(frozen=True)
class Question:
    """A prediction. choices: what may happen; right: the number of the one that does, from 1. because: why.

    wrong: for each of the other choices, in order, why it is not right.
    """

    prompt: str
    choices: tuple[str, ...]
    right: int
    because: str
    wrong: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError when no choice has this number, two are the same, or one has no reply."""
        if not 1 <= self.right <= len(self.choices) == len(set(self.choices)) == len(self.wrong) + 1:
            raise ValueError(f"right = {self.right}, {len(self.wrong)} wrong")

    def reply(self, number: int) -> str:
        """Return what to say to a choice."""
        if number == self.right:
            return f"Right. {self.because}"
        why = self.wrong[number - 1 - (number > self.right)]
        return f"No. {why}\nThe right answer is: {self.choices[self.right - 1]}. {self.because}"


class Lesson:
    """One stage: its notebook, what shows that it is done, and its questions by name.

    texts: its table in course.toml. Raises ValueError when they cannot be used.
    """

    def __init__(self, stage: str, texts: dict[str, Any], findings: Callable[[], Findings]) -> None:
        def read(kind: type[T], part: str) -> dict[str, T]:
            return {name: from_table(kind, f"{stage}.{name}", table) for name, table in texts[part].items()}

        self.stage, self.notebook, self._findings = stage, str(texts["notebook"]), findings
        self._wordings, self.questions = read(Wording, "requirements"), read(Question, "questions")

    def requirements(self) -> list[Requirement]:
        """Return the requirements, each as it is now."""
        return [self._wordings[name].requirement(holds=holds, **values) for name, holds, values in self._findings()]


def from_table(kind: Callable[..., T], entry: str, table: Mapping[str, Any]) -> T:
    """Make a `kind` of one table in a data file.

    Raises ValueError, naming the entry, when a field is missing, unknown, of the wrong type, or out of range.
    """
    types = get_type_hints(kind)
    values = {name: tuple(map(str, value)) if isinstance(value, list) else value for name, value in table.items()}
    for name, value in values.items():
        if not isinstance(value, get_origin(types.get(name)) or types.get(name, ())):
            raise ValueError(f"{entry}: {name} is unknown or of the wrong type.")
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{entry}: {error}.") from None


def named(kind: str, name: str, known: Mapping[str, T]) -> T:
    """Return what `known` has under this name. Raises RedboothError, listing the names, when there is nothing."""
    if name not in known:
        raise RedboothError(f"There is no {kind} {name!r}.", remedy=f"Use one of: {', '.join(known)}.")
    return known[name]
