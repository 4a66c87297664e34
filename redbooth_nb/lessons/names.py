"""Names that a learner types: of stages, questions, functions and tickets."""

from collections.abc import Mapping
from typing import TypeVar

from redbooth_nb.errors import RedboothError

K = TypeVar("K")
T = TypeVar("T")


def named(kind: str, name: K, known: Mapping[K, T]) -> T:
    """Return what `known` has under this name. Raises RedboothError, listing the names, when there is nothing."""
    if name not in known:
        raise RedboothError(f"There is no {kind} {name!r}.", remedy=f"Use one of: {', '.join(map(str, known))}.")
    return known[name]
