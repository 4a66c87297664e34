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
import tokenize
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
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
    app = TakeHomeApp()
    if found := passes(function, app.text()):
        app.keep(function.__name__, *found)
        print(f"Kept in {NAME}: {len(app.mine())} of {len(EXERCISES)} functions are yours.")


def passes(function: Callable[..., Any], app: str, *, silent: bool = False) -> tuple[str, list[str]] | None:
    """Try a function out in an app, given as source; return its source and what it needs, None if it isn't right yet.

    silent: whether it is left to the learner to find out what is wrong. Raises RedboothError, as `try_out`.
    """
    if not isinstance(function, FunctionType):
        raise RedboothError("That is no function.", remedy="Pass the function itself, without quotes or parentheses.")
    name = function.__name__
    named("function of the app", name, EXERCISES)
    source, needed = _source(function)
    mistake = "dots" if _has_dots(source) else "kit_imported" if "redbooth_nb" in " ".join([*needed, source]) else ""
    if mistake:
        print(f"To do    {name}()")
        _explain(name, {"mistake": mistake})
        return None
    reports, wrong = judge(name, [replace_function(app, name, source, needed)])[0], False
    for situation, words in EXERCISES[name]["situations"].items():
        # after one that didn't end, no other was tried
        found = reports.get(situation, {"mistake": "endless"})
        wrong |= show(name, words, found, explain=not (wrong or silent))
    return None if wrong else (source, needed)


def show(name: str, words: str, found: dict[str, Any], *, explain: bool = True) -> bool:
    """Print how a situation ended, and explain it; return whether something went wrong."""
    print(f"{'To do' if found['mistake'] else 'Done':8} {words}")
    if found["mistake"] and explain:
        _explain(name, found)
    return bool(found["mistake"])


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
        raise RedboothError(
            f"{name}() could not be tried out ({type(error).__name__}).",
            why="The process for it did not start, or did not end.",
            remedy="Run the cell again. If it stays, run `redbooth-nb doctor`.",
        ) from None


def _explain(name: str, found: dict[str, Any]) -> None:
    """Print what happened, and a hint: first one, then another, then where the answer is."""
    mistake, hints = found["mistake"], MISTAKES[found["mistake"]]["hints"]
    times = _asked[name, mistake]
    _asked[name, mistake] += 1
    lines = ["What happened: " + MISTAKES[mistake]["happened"].format_map(found.get("values", {}))]
    if found.get("seen"):
        lines += ["It sent:", *found["seen"][-MOST_SHOWN:]]
    lines += [f"It printed: {line}" for line in found.get("printed", "").splitlines()]
    hint = [*(f"Hint: {each}" for each in hints), f"Answer: solution({name!r}) prints the kit's version."]
    for line in "\n".join([*lines, hint[min(times, len(hints))]]).splitlines():
        inner = " " * (len(line) - len(line.lstrip()) + 9)
        print(textwrap.fill(line.strip(), WIDTH, initial_indent=inner, subsequent_indent=inner + "  "))


def _has_dots(source: str) -> bool:
    """Return whether dots are left where a value belongs, and not in a type hint such as `tuple[str, ...]`."""
    values: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr | ast.Assign | ast.Return | ast.keyword):
            values.append(node.value)
        elif isinstance(node, ast.Call):
            values += node.args
    return any(isinstance(value, ast.Constant) and value.value is ... for value in values)


def _source(function: FunctionType) -> tuple[str, list[str]]:
    """Return the source of a function, and the statements of its cell that define what it uses, in their order."""
    try:
        source = textwrap.dedent(inspect.getsource(function)).rstrip()
        if function.__name__ not in functions(source):  # that of another text, under the same file name
            raise OSError  # noqa: TRY301
        body = ast.parse("".join(linecache.getlines(inspect.getfile(function)))).body
    except (OSError, TypeError, ValueError, SyntaxError, tokenize.TokenError):
        raise RedboothError(
            f"The source of {function.__name__}() can't be found.",
            remedy="Define it with `def` in a cell of a notebook, without %%magics, then pass the function itself.",
        ) from None
    used, needed = _names(ast.parse(source)), set[ast.stmt]()
    while new := {node for node in body if _defines(node) & used} - needed:
        needed |= new
        used |= {name for node in new for name in _names(node)}
    return source, [ast.unparse(node) for node in body if node in needed]


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _defines(node: ast.stmt) -> set[str]:
    """Return the names that a statement of a cell defines, except for those of the app's own functions."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).partition(".")[0] for name in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name} - functions(SOLUTION).keys()
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {name for target in targets for name in _names(target)}
    return set()
