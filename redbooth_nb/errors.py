"""The one error type of the kit: what happened, why, and what to do. And the decorator that lets no other one out."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
LEFT_OUT = "The details are left out because they may hold secrets."
REPORT = "Try again. If the problem persists, run `redbooth-nb doctor` and report what it says."
LONGEST_TEXT = 2000  # characters of one part of an error; what a service says may be longer


class RedboothError(Exception):
    """Something went wrong, and this says so in words a learner can act on.

    what: what happened. why: the reason. remedy: what to do now.
    reference: where it is specified (an RFC section or a chapter of the guide).
    stage: which of the four stages to do, or to do again ("register", "authorize", ...), "" when none helps.
    """

    def __init__(self, what: str, *, why: str = "", remedy: str = "", reference: str = "", stage: str = "") -> None:
        self.what, self.why, self.remedy = printable(what), printable(why), printable(remedy)
        self.reference, self.stage = reference, stage
        super().__init__(self.what)

    @classmethod
    def named(cls, name: str, /, **values: object) -> Self:
        """Return the error that `errors.toml` words under this name. values: for the names in braces."""
        texts = wordings(Path(__file__).with_suffix(".toml"))[name]
        return cls(**{part: text.format_map(values) for part, text in texts.items()})

    def __str__(self) -> str:
        labelled = {"Why": self.why, "What to do": self.remedy, "See": self.reference}
        return "\n".join([self.what, *(f"{label}: {text}" for label, text in labelled.items() if text)])

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of a stack trace, whose frames would hold secrets and help nobody.
        return str(self).splitlines()

    def fresh(self) -> Self:
        """Return a copy without the frames that the error traveled through: their variables hold secrets."""
        bare = type(self).__new__(type(self), *self.args)
        vars(bare).update(vars(self))
        return bare


class NotYet(RedboothError):
    """An earlier step is missing; the message and `stage` name it."""


def only_kit_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function that handles secrets raise nothing but `RedboothError`, without the frames it came through.

    For every public function and method. Debuggers, error reporters and IPython's verbose mode show the variables
    of each frame, and those hold the secrets. Arguments that are missing or unknown still raise `TypeError`, and Ctrl-C
    still works. An argument of the wrong type is named.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: BaseException
        try:
            return function(*args, **kwargs)
        except RedboothError as error:
            failure = error.fresh()
        except Exception as error:  # whatever it is, its frames and its text may hold secrets
            called_wrongly = error.__traceback__ is not None and error.__traceback__.tb_next is None
            what = f"Something went wrong that the kit did not foresee ({type(error).__name__})."
            failure = TypeError(str(error)) if called_wrongly else RedboothError(what, why=LEFT_OUT, remedy=REPORT)
            if not called_wrongly and (unfit := _unfit(function, *args, **kwargs)):
                failure = RedboothError(unfit)
        except BaseException as error:  # Ctrl-C and the like are passed on, but without frames
            failure = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        del args, kwargs  # this frame stays
        raise failure

    return call


def _unfit(function: Callable[..., object], *args: object, **kwargs: object) -> str:
    """Say which argument has the wrong type, "" when none has."""
    import inspect  # slow to import, and most programs never hit an error

    try:
        expected = inspect.signature(function, eval_str=True)
    except NameError:  # a hint that only type checkers can read
        return ""
    for name, value in expected.bind(*args, **kwargs).arguments.items():
        kind = expected.parameters[name].annotation
        if kind is inspect.Parameter.empty or expected.parameters[name].kind.name.startswith("VAR"):
            continue
        with suppress(TypeError):  # a hint that is no class, such as a dict of strings
            if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
                wanted = re.sub(r"[\w.]+\.", "", getattr(kind, "__qualname__", str(kind)))
                called = function.__qualname__.removesuffix(".__init__")
                return f"{called}() can't use a value of type {type(value).__name__} as its {name}. It takes: {wanted}."
    return ""


@cache
def wordings(file: Path) -> dict[str, Any]:
    import tomllib  # slow to import, and most programs never hit an error

    return tomllib.loads(file.read_text(encoding="utf-8"))


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return text that is safe to print: no control characters or half surrogates, at most `longest` characters."""
    shown = text if len(text) <= longest else f"{text[:longest]}..."
    return shown if shown.isprintable() else "".join(c if c.isprintable() or c in "\n\t" else "?" for c in shown)
