"""How far the learner has come through the lessons; kept on disk, so that every notebook knows."""

from redbooth_nb.client.private_file import PrivateFile
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import LESSONS


def done() -> list[str]:
    """Return the stages whose check found nothing left to do, in the order of the course."""
    try:
        noted = (_file().read() or {}).get("done", [])
    except RedboothError:
        noted = []  # a lost note is no reason to stop a lesson: its check writes a new one
    return [stage for stage in LESSONS if stage in noted]


def note_done(stage: str) -> None:
    """Remember that the check of `stage` found nothing left to do. Raises StoreError when it cannot be kept."""
    before = done()
    if stage not in before:
        _file().write({"done": [*before, stage]})


def summary_line() -> str:
    """Say how many lessons are done, and which comes next; "" before the first."""
    finished = done()
    if not finished:
        return ""
    following = next((lesson.notebook for stage, lesson in LESSONS.items() if stage not in finished), "")
    then = f"next is {following}" if following else "that was the whole course"
    return f"Lessons  {len(finished)} of {len(LESSONS)} done; {then}."


def progress() -> None:
    """Print every lesson and whether it is done."""
    finished = done()
    for stage, lesson in LESSONS.items():
        print(f"{'Done ' if stage in finished else 'To do'}    {lesson.notebook}")  # noqa: T201  (printing is what it is for)


def _file() -> PrivateFile:
    return PrivateFile(Configuration.read().state_dir / "progress.json")
