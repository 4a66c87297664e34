"""The lessons in their order."""

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons import authorize, break_it, exchange, refresh, register, start, your_own_app
from redbooth_nb.lessons.lesson import Lesson, Question

LESSONS: dict[str, Lesson] = {
    module.LESSON.stage: module.LESSON
    for module in (start, register, authorize, exchange, refresh, break_it, your_own_app)
}


def lesson(stage: str) -> Lesson:
    """Return the lesson of a stage. Raises RedboothError when there is none of that name."""
    if stage not in LESSONS:
        raise RedboothError(f"There is no stage {stage!r}.", remedy=f"Use one of: {', '.join(LESSONS)}.")
    return LESSONS[stage]


def question(name: str) -> Question:
    """Return a question by name. Raises RedboothError when there is none of that name."""
    known: dict[str, Question] = {key: value for each in LESSONS.values() for key, value in each.questions.items()}
    if name not in known:
        raise RedboothError(f"There is no question {name!r}.", remedy=f"Use one of: {', '.join(known)}.")
    return known[name]
