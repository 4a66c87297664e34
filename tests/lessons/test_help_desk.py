"""The help desk: each ticket's app is broken in the way it says, and is repaired by the kit's version of a function."""

import re

import nbformat
import pytest
from lessons.test_try_out import run_cell, words
from notebooks.lessons import ROOT, code_cells

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import requirements
from redbooth_nb.lessons.source import SOLUTION, functions, replace_function
from redbooth_nb.lessons.try_out import MISTAKES, TICKETS, judge, solved, ticket

CAUSES = [
    "not_refreshed", "no_credentials", "error_page", "old_refresh_token_kept", "forged_accepted", "http_refused",
    "refreshed_revoked", "half_written", "changed_signs", "other_redirect_uri",
]  # fmt: skip


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("number", TICKETS)
def test_the_app_of_a_ticket_is_broken_as_it_says_and_only_so(number: int) -> None:
    found = TICKETS[number]
    reports = judge(found["function"], [replace_function(SOLUTION, found["function"], found["broken"].strip())])[0]
    assert len(CAUSES) == len(TICKETS), "each ticket needs its cause in CAUSES"
    assert reports[found["situation"]]["mistake"] == CAUSES[number - 1]
    assert CAUSES[number - 1] in MISTAKES


@pytest.mark.usefixtures("machine")
def test_the_notebook_holds_the_broken_functions() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "05-help-desk.ipynb", as_version=4)
    sources = [cell.source for cell in code_cells(notebook)]
    for number, found in TICKETS.items():
        repair = f"{found['broken'].strip()}\n\nticket({number}, {found['function']})"
        assert sources.index(f"ticket({number})") + 1 == sources.index(repair)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("number", TICKETS)
def test_a_ticket_comes_with_a_transcript_or_a_log(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    ticket(number)
    message, _, sent = capsys.readouterr().out.partition("\n\n")
    assert message.startswith(f"Ticket {number} of {len(TICKETS)}\n")
    assert len(sent.splitlines()) > 2


@pytest.mark.usefixtures("machine")
def test_a_ticket_tells_what_happened_and_not_why(capsys: pytest.CaptureFixture[str]) -> None:
    ticket(1)
    told = capsys.readouterr().out
    assert told.startswith(f"Ticket 1 of {len(TICKETS)}\n")
    assert "--> 401 Unauthorized" in told
    ticket(1, run_cell("call", TICKETS[1]["broken"]))
    assert "What happened" not in capsys.readouterr().out  # the first time it is left to the learner
    ticket(1, run_cell("call", TICKETS[1]["broken"]))
    assert MISTAKES["not_refreshed"]["happened"] in (told := words(capsys))
    assert told.endswith("Open Find the cause, repair the function, and run the cell again.")
    assert solved() == []


@pytest.mark.usefixtures("machine")
def test_all_tickets_can_be_solved_and_the_check_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    for number, found in TICKETS.items():
        assert not all(required.holds for required in requirements("help-desk"))
        ticket(number, run_cell(found["function"], functions(SOLUTION)[found["function"]]))
        assert f"{number} of {len(TICKETS)} tickets are solved." in capsys.readouterr().out
    assert solved() == [*TICKETS]
    assert all(required.holds for required in requirements("help-desk"))
    ticket(3)
    assert capsys.readouterr().out.startswith(f"Ticket 3 of {len(TICKETS)} (solved)\n")


def test_a_repair_that_the_whole_app_does_not_survive_is_none(
    capsys: pytest.CaptureFixture[str], machine: object
) -> None:
    """Correct on its own, it breaks what comes after: then Redbooth doesn't answer 200."""
    del machine
    spoiled = functions(SOLUTION)["refresh"].replace("    return new", "    globals()['call'] = None\n    return new")
    ticket(4, run_cell("refresh", spoiled))
    assert "To do    The whole app" in (told := capsys.readouterr().out)
    assert "Open " in told


@pytest.mark.usefixtures("machine")
def test_wrong_numbers_and_other_functions_are_sentences() -> None:
    with pytest.raises(RedboothError, match=f"There is no ticket {len(TICKETS) + 1}"):
        ticket(len(TICKETS) + 1)
    with pytest.raises(RedboothError, match=re.escape("The broken function of ticket 2 is exchange(), not call().")):
        ticket(2, run_cell("call", TICKETS[1]["broken"]))
