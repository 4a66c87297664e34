"""What the learner types, asks for and has done so far. The last is in a note that all notebooks share."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from redbooth_nb.client.private_file import PrivateFile, locked
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError

K = TypeVar("K")
T = TypeVar("T")
_asked: Counter[object] = Counter()


def named(kind: str, name: K, known: Mapping[K, T]) -> T:
    """Return what `known` has under this name. Raises RedboothError, listing the names, when there is nothing."""
    if name not in list(known):  # a list, because a name that can't be a key must be reported, too
        raise RedboothError(f"There is no {kind} {name!r}.", remedy=f"Use one of: {', '.join(map(str, known))}.")
    return known[name]


def hints_about(something: object, hints: Sequence[str]) -> list[str]:
    """Return the hints given so far and, each time this is called, one more; the last one is the answer."""
    _asked[something] += 1
    given = [f"Hint: {hint}" for hint in hints[:-1]] + [f"Answer: {hints[-1]}"]
    return given[: _asked[something]]


def noted() -> dict[str, Any]:
    """Return the note; a lost or damaged one is no reason to stop a lesson."""
    found: dict[str, Any] = {}
    with suppress(RedboothError):
        found = _file().read() or {}
    kinds = {"done": list, "tickets": list, "kept": dict, "written": list}
    return {name: value for name, value in found.items() if isinstance(value, kinds.get(name, object))}


def note(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Add to the note what `change` makes of it; other notebooks wait. Raises StoreError when it cannot be written."""
    with locked(_file().path.with_suffix(".lock")):
        before = noted()
        _file().write(before | change(before))


def _file() -> PrivateFile:
    return PrivateFile(Configuration.read().state_dir / "progress.json")
