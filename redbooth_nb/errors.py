"""The one error type of the kit: a sentence on what happened, why, and what to do."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class RedboothError(Exception):
    """Something went wrong, and this says so in words a learner can act on.

    what: what happened. why: the reason. remedy: what to do now.
    reference: where it is specified (an RFC section or a chapter of the guide).
    stage: which of the four stages to do, or to do again ("register", "authorize", ...), "" when none helps.
    """

    def __init__(self, what: str, *, why: str = "", remedy: str = "", reference: str = "", stage: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.reference = reference
        self.stage = stage

    def __str__(self) -> str:
        """Return the whole explanation, one thought to a line."""
        lines = [self.what]
        lines += [f"Why: {self.why}"] if self.why else []
        lines += [f"What to do: {self.remedy}"] if self.remedy else []
        lines += [f"See: {self.reference}"] if self.reference else []
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of a stack trace, whose frames would hold secrets and help nobody.
        return str(self).splitlines()

    def fresh(self) -> Self:
        """Return the same error without the frames it travelled through: their variables hold secrets."""
        self.__cause__ = self.__context__ = None
        self.__suppress_context__ = True
        return self.with_traceback(None)


class NotYet(RedboothError):  # noqa: N818  (not a fault: a step that comes first has not been taken)
    """An earlier step is missing; the message names it."""


def without_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Let the errors of a function that handles secrets leave it alone, without the frames they came through.

    Debuggers and error reporters show the variables of every frame, and those hold the secrets in the clear.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RedboothError as error:
            failure = error.fresh()
        del args, kwargs  # this frame stays
        raise failure

    return call
