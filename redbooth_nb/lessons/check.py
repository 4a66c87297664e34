"""Checks: one sentence on what is right and what is missing. Facts decide, not clicks."""

from collections import Counter

from redbooth_nb.lessons.course import lesson
from redbooth_nb.lessons.progress import note_done, summary_line

_asked: Counter[str] = Counter()


def check(stage: str) -> None:
    """Print what is done in `stage` and, for what is missing, a hint; asked again, a second hint, then the answer.

    stage: "start", "register", "authorize", "exchange", "refresh", "break-it" or "your-own-app". Once nothing is
    missing, the lesson counts as done.
    """
    required = lesson(stage).requirements()
    for requirement in required:
        if requirement.holds:
            print(f"Done     {requirement.text}")  # noqa: T201  (printing is what it is for)
            continue
        hint = min(_asked[requirement.text], len(requirement.hints) - 1)
        _asked[requirement.text] += 1
        label = "Answer" if hint == len(requirement.hints) - 1 else "Hint"
        print(f"To do    {requirement.text}\n         {label}: {requirement.hints[hint]}")  # noqa: T201
    if all(requirement.holds for requirement in required):
        note_done(stage)
        print(summary_line())  # noqa: T201
