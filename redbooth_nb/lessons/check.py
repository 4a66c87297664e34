"""Checks: what is done and what is missing, judged by facts and not by clicks; and progress through the course."""

from collections import Counter

from redbooth_nb.lessons.course import LESSONS, requirements
from redbooth_nb.lessons.names import named
from redbooth_nb.lessons.progress import note, noted
from redbooth_nb.provider.delivery import current_provider

_asked: Counter[str] = Counter()


def check(stage: str) -> None:
    """Print what is done in `stage` and a hint for what is missing: first one, then a second, then the answer.

    stage: "start", "register", "authorize", "exchange", "refresh", "help-desk", "your-own-app" or "every-error".
    When nothing is missing, the lesson counts as done. Raises StoreError when that cannot be kept.
    """
    named("stage", stage, LESSONS)
    required = requirements(stage)
    for requirement in required:
        if requirement.holds:
            print(f"Done     {requirement.text}")
            continue
        hint = min(_asked[requirement.text], len(requirement.hints) - 1)
        _asked[requirement.text] += 1
        label = "Answer" if hint == len(requirement.hints) - 1 else "Hint"
        print(f"To do    {requirement.text}\n         {label}: {requirement.hints[hint]}")
    if all(requirement.holds for requirement in required):
        if stage not in done():
            note(lambda _: {"done": [*done(), stage]})
        if line := summary_line():
            print(line)


def progress() -> None:
    """Print every lesson and whether it is done."""
    finished = done()
    for stage, notebook in LESSONS.items():
        print(f"{'Done ' if stage in finished else 'To do'}    {notebook}")


def done() -> list[str]:
    """Return the stages whose check found nothing missing, in the order of the course."""
    finished = noted().get("done", [])
    return [stage for stage in LESSONS if stage in finished]


def summary_line() -> str:
    """Say how many lessons are done and which comes next; "" before the first.

    And where recordings answer: there each notebook stands alone, so that their stored outputs don't contradict.
    """
    finished = done()
    if not finished or current_provider().kind == "recorded":
        return ""
    following = next((notebook for stage, notebook in LESSONS.items() if stage not in finished), "")
    then = f"next is {following}" if following else "that was the whole course"
    return f"Lessons  {len(finished)} of {len(LESSONS)} done; {then}."
