"""Checks: one sentence on what is right and what is missing. Facts decide, not clicks."""

from collections import Counter

from redbooth_nb.lessons.course import lesson
from redbooth_nb.lessons.progress import in_one_line, note_done

_asked: Counter[str] = Counter()


def check(stage: str) -> None:
    """Print what is done in `stage` and, for what is missing, a hint; asked again, a second hint, then the answer.

    stage: "start", "register", "authorize", "exchange", "refresh", "break-it" or "your-own-app". Once nothing is
    missing, the lesson counts as done.
    """
    facts = lesson(stage).facts()
    for fact in facts:
        if fact.holds:
            print(f"Done     {fact.text}")  # noqa: T201  (printing is what it is for)
            continue
        hint = min(_asked[fact.text], len(fact.hints) - 1)
        _asked[fact.text] += 1
        label = "Answer" if hint == len(fact.hints) - 1 else "Hint"
        print(f"To do    {fact.text}\n         {label}: {fact.hints[hint]}")  # noqa: T201
    if all(fact.holds for fact in facts):
        note_done(stage)
        print(in_one_line())  # noqa: T201
