"""What the learner writes: every exercise is in a notebook, and with the solutions every check is done."""

import pytest
from notebooks.lessons import NAMES, ROOT, Lessons, checks_are_done, code_cells, tried_out

from redbooth_nb.lessons.try_out import EXERCISES, TICKETS


def test_every_exercise_and_every_ticket_is_in_a_notebook(lessons: Lessons) -> None:
    sources = [cell.source for name in NAMES for cell in code_cells(lessons.content(name))]
    found = [name for name in map(tried_out, sources) if name]
    assert found == [*EXERCISES, *(ticket["function"] for ticket in TICKETS.values())]


# the others have none, or, as the help desk, meet a sandbox of their own, whoever answers in the notebook
@pytest.mark.parametrize("name", [name for name in NAMES if "01" <= name < "05"])
def test_with_the_solutions_every_check_is_done_on_the_recordings(lessons: Lessons, name: str) -> None:
    """In the sandbox and on Doorkeeper: test_unattended.py."""
    lessons.solve()
    recording = str(ROOT / "tests" / "recordings" / f"{name}.json")
    lessons.execute(name, REDBOOTH_PROVIDER="recorded", REDBOOTH_RECORDING=recording)
    checks_are_done(lessons, name)


@pytest.mark.parametrize("name", NAMES)
def test_as_committed_what_the_learner_has_to_write_is_to_do_and_no_error(lessons: Lessons, name: str) -> None:
    cells = code_cells(lessons.content(name))
    assert all(output.output_type != "error" for cell in cells for output in cell.outputs)
    exercises = [cell for cell in cells if tried_out(cell.source)]
    for cell in exercises:
        assert "To do" in "".join(output.text for output in cell.outputs), cell.source
    checked = next(cell for cell in cells if cell.source.startswith("check("))
    assert ("To do" in "".join(output.text for output in checked.outputs)) or not exercises
