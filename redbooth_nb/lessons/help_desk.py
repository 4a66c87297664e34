"""The help desk: what users report about apps in which one function is broken, and the repairs."""

import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.names import named
from redbooth_nb.lessons.progress import note, noted
from redbooth_nb.lessons.take_home import SOLUTION, replace_function
from redbooth_nb.lessons.try_out import WIDTH, judge, passes, show

_TEXTS = tomllib.loads(Path(__file__).with_name("tickets.toml").read_text(encoding="utf-8"))
_tried: set[int] = set()
TICKETS: dict[int, dict[str, str]] = dict(enumerate(_TEXTS["tickets"], 1))


def ticket(number: int, repaired: Callable[..., Any] | None = None) -> None:
    """Print what a user reports, and what their app sent when it happened. Or try out a repair.

    repaired: the function of the app that you repaired. The ticket is solved when the function does all that it
    should, and Redbooth answers 200 to the whole app with it: when it signs in, two hours later, and when it signs in
    again after a revocation, with every switch of the sandbox. The cause is named from the second attempt on.
    Raises RedboothError for a number that no ticket has, another function, or when apps cannot be tried out here.
    """
    found = named("ticket", number if type(number) is int else 0, TICKETS)
    name = found["function"]
    if repaired is not None:
        given = getattr(repaired, "__name__", name)
        if given != name:
            raise RedboothError(f"The broken function of ticket {number} is {name}(), not {given}().")
        _repair(number, repaired)
        return
    print(f"Ticket {number} of {len(TICKETS)}{' (solved)' * (number in solved())}")
    print(textwrap.fill(found["message"].strip(), WIDTH))
    app = replace_function(SOLUTION, name, found["broken"].strip())
    for sent in judge(name, [app])[0][found["situation"]]["seen"] or [found["attached"].strip("\n")]:
        print(f"\n{sent}")


def solved() -> list[int]:
    """Return the numbers of the tickets that are solved."""
    return [number for number in noted().get("tickets", []) if number in TICKETS]


def _repair(number: int, repaired: Callable[..., Any]) -> None:
    name, works = TICKETS[number]["function"], False
    first = number not in _tried
    _tried.add(number)
    if found := passes(repaired, SOLUTION, silent=first):
        reports = judge("main", [replace_function(SOLUTION, name, *found)])[0].values()
        whole = next((report for report in reports if report["mistake"]), {"mistake": ""})
        works = not show(name, "The whole app, with every switch of the sandbox: Redbooth answers 200.", whole)
    if works:
        note(lambda _: {"tickets": sorted({*solved(), number})})
        print(f"Solved   {len(solved())} of {len(TICKETS)} tickets are solved.")
    else:
        print("Open     Find the cause, repair the function, and run the cell again.")
