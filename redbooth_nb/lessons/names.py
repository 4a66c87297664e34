"""Names that a learner types: of stages, questions, faults and gaps."""

from collections.abc import Mapping
from typing import TypeVar

from redbooth_nb.errors import RedboothError

T = TypeVar("T")


def named(kind: str, name: str, known: Mapping[str, T]) -> T:
    """Return what `known` has under this name. Raises RedboothError, listing the names, when there is nothing."""
    if name not in known:
        raise RedboothError(f"There is no {kind} {name!r}.", remedy=f"Use one of: {', '.join(known)}.")
    return known[name]
