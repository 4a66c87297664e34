"""`try_out(function)`: a function of the learner's app meets Redbooth, and is kept if it does what it should."""

import ast
import inspect
import json
import linecache
import os
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.names import named
from redbooth_nb.lessons.take_home import NAME, SOLUTION, TakeHomeApp, functions, replace_function

_TEXTS = tomllib.loads(Path(__file__).with_name("exercises.toml").read_text(encoding="utf-8"))
EXERCISES: dict[str, Any] = _TEXTS["functions"]
MISTAKES: dict[str, Any] = _TEXTS["mistakes"]
WIDTH = 80  # characters
MOST_SHOWN = 2  # requests
LONGEST = 30  # seconds for each app, until a process that should end by itself is given up
_asked: Counter[tuple[str, str]] = Counter()
Reports = dict[str, dict[str, Any]]


def try_out(function: Callable[..., Any]) -> None:
    """Try a function of your app out, in good and bad situations, and print what happened.

    It runs in a process of its own against a sandbox of its own, for two seconds at most, whoever answers in this
    notebook. If it does all that it should, it is put into your `my_redbooth_app.py`.
    Raises RedboothError when its source cannot be found, or when it cannot be tried out here.
    """
    named("function of the app", function.__name__, EXERCISES)
    app = TakeHomeApp()
    if script := passes(function, app.text()):
        app.keep(function.__name__, script)
        print(f"Kept in {NAME}: {len(app.mine())} of {len(EXERCISES)} functions are yours.")


def passes(function: Callable[..., Any], app: str, silent: int = 0) -> str:
    """Try a function out in an app, given as source; return the app with it, "" when it isn't right yet.

    silent: how many times it is left to the learner to find out what is wrong. Raises RedboothError, as `try_out`.
    """
    name = function.__name__
    source, needed = _source(function)
    script = replace_function(app, name, source, needed)
    if any(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(ast.parse(source))):
        print(f"To do    {name}()")
        _explain(name, {"mistake": "dots"})
        return ""
    reports, wrong = judge(name, [script])[0], False
    for situation, words in EXERCISES[name]["situations"].items():
        found = reports.get(situation, {"mistake": "endless"})  # after one that didn't end, none was tried
        print(f"{'To do' if found['mistake'] else 'Done':8} {words}")
        if found["mistake"] and not wrong:
            _explain(name, found, silent)
        wrong = wrong or bool(found["mistake"])
    return "" if wrong else script


def judge(name: str, scripts: list[str]) -> list[Reports]:
    """Try out the function `name` of some apps, each given as source, and return what happened in each situation.

    Raises RedboothError when that cannot be done here.
    """
    if not hasattr(os, "fork"):
        raise RedboothError(
            "Functions can't be tried out on Windows.",
            why="Each situation needs a process that can be copied, which Windows doesn't offer.",
            remedy="Use Linux, macOS or WSL. Or compare your function with the kit's: solution('exchange').",
        )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("REDBOOTH_", "OAUTHLIB_"))}
    jobs = "".join(json.dumps({"script": script, "function": name}) + "\n" for script in scripts)
    with tempfile.TemporaryDirectory(prefix="redbooth-nb-") as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "redbooth_nb.lessons.judge"],
                input=jobs, capture_output=True, text=True, timeout=LONGEST * len(scripts), check=True, cwd=folder,
                env=environment | {"PYTHONUTF8": "1"},
            )  # fmt: skip
            return [json.loads(line) for line in done.stdout.splitlines()]
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise RedboothError(
                f"{name}() could not be tried out ({type(error).__name__}).",
                why="The process for it did not start, or did not end.",
                remedy="Run the cell again. If it stays, run `redbooth-nb doctor`.",
            ) from None


def _explain(name: str, found: dict[str, Any], silent: int = 0) -> None:
    """Print what happened, and a hint: first one, then another, then where the answer is."""
    mistake, hints = found["mistake"], MISTAKES[found["mistake"]]["hints"]
    times = _asked[name, mistake] - silent
    _asked[name, mistake] += 1
    if times < 0:
        return
    lines = ["What happened: " + MISTAKES[mistake]["happened"].format_map(found.get("values", {}))]
    if found.get("seen"):
        lines += ["It sent:", *found["seen"][-MOST_SHOWN:]]
    lines += [f"It printed: {line}" for line in found.get("printed", "").splitlines()]
    hint = [*(f"Hint: {each}" for each in hints), f"Answer: solution({name!r}) prints the kit's version."]
    for line in "\n".join([*lines, hint[min(times, len(hints))]]).splitlines():
        inner = " " * (len(line) - len(line.lstrip()) + 9)
        print(textwrap.fill(line.strip(), WIDTH, initial_indent=inner, subsequent_indent=inner + "  "))


def _source(function: Callable[..., Any]) -> tuple[str, list[str]]:
    """Return the source of a function, and the statements of its cell that import or define something for it."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        cell = ast.parse("".join(linecache.getlines(inspect.getfile(function))))
    except (OSError, TypeError, SyntaxError):
        raise RedboothError(
            f"The source of {function.__name__}() can't be found.",
            remedy="Define it with `def` in a cell of a notebook or in a file, then pass the function itself.",
        ) from None
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return source.rstrip(), [ast.unparse(node) for node in cell.body if _defines(node) & used]


def _defines(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a cell defines, unless the app defines them, too."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).partition(".")[0] for name in node.names}
    return {node.name} - functions(SOLUTION).keys() if isinstance(node, ast.FunctionDef) else set()
