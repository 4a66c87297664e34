"""`try_out(function)`: a function of the learner's app meets Redbooth, and is kept if it does what it should.

And the help desk, `ticket(number)`: what users report about apps in which one function is broken, and the repairs.
"""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from redbooth_nb.errors import RedboothError, wordings
from redbooth_nb.lessons.learner import hints_about, named, note, noted
from redbooth_nb.lessons.source import (
    SOLUTION,
    arguments_of,
    changed_names,
    first_sight,
    functions,
    replace_function,
    source_of,
    taken_names,
    used_by,
)
from redbooth_nb.lessons.take_home import NAME, TakeHomeApp

_TEXTS = wordings(Path(__file__).with_name("exercises.toml"))
EXERCISES: dict[str, Any] = _TEXTS["functions"]
MISTAKES: dict[str, Any] = _TEXTS["mistakes"]
TICKETS: dict[int, dict[str, str]] = dict(enumerate(wordings(Path(__file__).with_name("tickets.toml"))["tickets"], 1))
WIDTH = 80  # characters
NOT_FOR_TRIALS = ("REDBOOTH_", "OAUTHLIB_", "REQUESTS_", "CURL_")  # the last two would hide that nothing is verified
MOST_SHOWN = 2  # requests
MOST_LINES = 16  # of each
LONGEST = 30  # seconds for each app, until a process that should end by itself is given up on
_tried: set[int] = set()  # tickets


def try_out(function: Callable[..., Any]) -> None:
    """Try out a function of your app in good and bad situations, and print what happened.

    It runs in a process of its own against a sandbox of its own, for two seconds at most, whoever answers in this
    notebook. If it does all that it should, it is put into your `my_redbooth_app.py`.
    Raises RedboothError when its source cannot be found, or when it cannot be tried out here.
    """
    app = TakeHomeApp()
    if found := _passes(function, app.text()):
        app.keep(function.__name__, *found)
        print(f"Kept in {NAME}: {len(app.mine())} of {len(EXERCISES)} functions are yours.")
    elif function.__name__ in app.mine():
        print(f"{NAME} keeps your earlier version, which did all of this.")


def ticket(number: int, repaired: Callable[..., Any] | None = None) -> None:
    """Print what a user reports, and what their app sent when it happened. Or try out a repair.

    repaired: the function of the app that you repaired. The ticket is solved when the function does all that it
    should, and Redbooth answers 200 to the whole app with it: when it signs in, two hours later, and when it signs in
    again after a revocation, with every setting of the sandbox. The cause is named from the second attempt on.
    Raises RedboothError when no ticket has that number, for another function, or where apps cannot be tried out.
    """
    found = named("ticket", number, TICKETS)
    name = found["function"]
    if repaired is not None:
        given = getattr(repaired, "__name__", name)
        if given != name:
            raise RedboothError(f"The broken function of ticket {number} is {name}(), not {given}().")
        _repair(number, repaired)
        return
    print(f"Ticket {number} of {len(TICKETS)}{' (solved)' * (number in solved())}")
    print(textwrap.fill(found["message"].strip(), WIDTH, break_long_words=False, break_on_hyphens=False))
    app = replace_function(SOLUTION, name, found["broken"].strip())
    for sent in judge(name, [app])[0][found["situation"]].get("seen") or [found["attached"].strip("\n")]:
        print(f"\n{sent}")


def solved() -> list[int]:
    return [number for number in noted().get("tickets", []) if number in TICKETS]


def _repair(number: int, repaired: Callable[..., Any]) -> None:
    first, works = number not in _tried, False
    _tried.add(number)
    if found := _passes(repaired, SOLUTION, silent=first):
        reports = judge("main", [replace_function(SOLUTION, repaired.__name__, *found)])[0].values()
        whole = next((report for report in reports if report["mistake"]), {"mistake": ""})
        words = "The whole app, run once for each way in which Redbooth may respond: every run ends with a 200."
        works = _is_right(repaired.__name__, words, whole)
    if works:
        note(lambda _: {"tickets": sorted({*solved(), number})})
        print(f"Solved   {len(solved())} of {len(TICKETS)} tickets are solved.")
    else:
        print("Open     Find the cause, repair the function, and run the cell again.")


def _passes(function: Callable[..., Any], app: str, *, silent: bool = False) -> tuple[str, list[str]] | None:
    """Try a function out in an app, given as source; return its source and what it needs, None if it isn't right yet.

    silent: whether it is left to the learner to find out what is wrong. Raises RedboothError, as `try_out` does.
    """
    if not isinstance(function, FunctionType):
        raise RedboothError("That isn't a function.", remedy="Pass the function itself, without quotes or parentheses.")
    name = function.__name__
    situations = named("function named", name, EXERCISES)["situations"]
    source, needed = source_of(function)
    taken = taken_names(needed, function.__globals__)
    if mistake := first_sight("\n".join([*needed, source]), taken):
        _is_right(name, f"{name}()", {"mistake": mistake, "values": {"taken": ", ".join(taken)}})
        return None
    whole = replace_function(app, name, source, needed)
    reports, right = judge(name, [whole])[0], True
    for situation, words in situations.items():
        # after one that didn't end, no other was tried
        right &= _is_right(name, words, reports.get(situation, {"mistake": "endless"}), explain=right and not silent)
    return (source, needed) if right and _others_still_work(name, app, whole) else None


def _others_still_work(name: str, before: str, app: str) -> bool:
    """Return whether what came with a function leaves the app's other functions right; say so if not."""
    same = arguments_of(functions(before)[name]) == arguments_of(functions(app)[name])
    changed = [each for each in changed_names(before, app) if each != name or not same]
    if not changed:
        return True
    for other in EXERCISES:
        if other != name and any(report["mistake"] for report in judge(other, [app])[0].values()):
            values = {"changed": ", ".join(changed), "other": other}
            return _is_right(name, f"{other}() still works.", {"mistake": "others_changed", "values": values})
    sharing = [f"{each}()" for each, text in functions(app).items() if each != name and used_by(text) & {*changed}]
    if sharing:
        print(f"Your app now uses this cell's version of {', '.join(changed)}, including in {', '.join(sharing)}.")
    return True


def judge(name: str, scripts: list[str]) -> list[dict[str, dict[str, Any]]]:
    """Try out the function `name` of some apps, each given as source, and return what happened in each situation.

    Raises RedboothError when that cannot be done here.
    """
    if not hasattr(os, "fork"):
        raise RedboothError.named("no_trials")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(NOT_FOR_TRIALS)}
    jobs = "".join(json.dumps({"script": script, "function": name}) + "\n" for script in scripts)
    environment |= {"PYTHONUTF8": "1", "REDBOOTH_PROVIDER": "sandbox"}
    try:
        with tempfile.TemporaryDirectory(prefix="redbooth-nb-") as folder:
            done = subprocess.run(
                [sys.executable, "-m", "redbooth_nb.lessons.judge"],
                input=jobs, capture_output=True, text=True, timeout=LONGEST * len(scripts), check=True, cwd=folder,
                env=environment,
            )  # fmt: skip
            return [json.loads(line) for line in done.stdout.splitlines()]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise RedboothError.named("no_trial", function=name, error=type(error).__name__) from None


def _is_right(name: str, words: str, found: dict[str, Any], *, explain: bool = True) -> bool:
    """Print how a situation of the function `name` ended, and if that was wrong, what happened and a hint."""
    print(f"{'To do' if found['mistake'] else 'Done':8} {words}")
    if found["mistake"] and explain:
        mistake = MISTAKES[found["mistake"]]
        lines = ["What happened: " + mistake["happened"].format_map(found.get("values", {}))]
        if sent := found.get("seen"):
            more = f" {len(sent)} requests. The last ones" if len(sent) > MOST_SHOWN else ""
            lines += [f"It sent{more}:", *map(_beginning, sent[-MOST_SHOWN:])]
        lines += [f"It printed: {line}" for line in found.get("printed", "").splitlines()]
        hints = [*mistake["hints"], f"solution({name!r}) prints the kit's version."]
        about = name, found["mistake"], str(found.get("values", {}).get("error")).partition("\n")[0]
        for line in "\n".join([*lines, *hints_about(about, hints)]).splitlines():
            inner = " " * (len(line) - len(line.lstrip()) + 9)
            print(_filled(line.strip(), inner))
    return not found["mistake"]


def _filled(text: str, indent: str) -> str:
    """Break a text into lines between words; an address that is too long for a line starts on a new one."""
    fill = partial(textwrap.fill, width=WIDTH, subsequent_indent=f"{indent}  ", break_on_hyphens=False)
    lines = fill(text, initial_indent=indent, break_long_words=False).splitlines()
    return "\n".join(fill(line.lstrip(), initial_indent=line[: -len(line.lstrip())]) for line in lines)


def _beginning(sent: str) -> str:
    """Return a request and its answer, without most of a long body."""
    lines = sent.splitlines()
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "    ..."])
