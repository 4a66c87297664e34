"""The validation of the notebooks fails when it should: each test spoils a copy of the lessons in one way."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from notebooks.lessons import GUARD, ROOT, Lessons

NAME = "00-start-here"


@pytest.fixture
def lessons(tmp_path: Path) -> Lessons:
    """Return a copy of the lessons with all that their validation needs."""
    copy = Lessons(tmp_path)
    del copy.environment["PYTHONPATH"]  # the validation itself has to load the guard
    for file in ("pyproject.toml", "conftest.py", "tests/sanitize.cfg"):
        (copy.folder / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, copy.folder / file)
    shutil.copytree(ROOT / "tests" / "recordings", copy.folder / "tests" / "recordings")
    shutil.copytree(GUARD, copy.folder / "tests" / "guard", ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def validate(lessons: Lessons, name: str = NAME) -> "subprocess.CompletedProcess[str]":
    """Run `pytest notebooks/<name>.ipynb` on the copy."""
    return lessons.python("-m", "pytest", "-p", "no:cacheprovider", f"notebooks/{name}.ipynb")


def change_recording(lessons: Lessons, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the exchanges that were recorded for the notebook."""
    file = lessons.folder / "tests" / "recordings" / f"{NAME}.json"
    recording = json.loads(file.read_text(encoding="utf-8"))
    change(recording["round_trips"])
    file.write_text(json.dumps(recording), encoding="utf-8")


def test_an_untouched_copy_passes(lessons: Lessons) -> None:
    """The control: what the other tests see is what they changed."""
    done = validate(lessons)
    assert done.returncode == 0, done.stdout


def test_one_displayed_character_is_enough(lessons: Lessons) -> None:
    def change(round_trips: list[dict[str, Any]]) -> None:
        headers = round_trips[0]["response"]["headers"]
        headers["WWW-Authenticate"] = headers["WWW-Authenticate"].replace("is invalid", "is invalud")

    change_recording(lessons, change)
    done = validate(lessons)
    assert done.returncode == 1, done.stdout
    assert "is invalud" in done.stdout


def test_a_recorded_answer_that_nobody_asked_for_fails_the_run(lessons: Lessons) -> None:
    change_recording(lessons, lambda round_trips: round_trips.append(round_trips[-1]))
    done = validate(lessons)
    assert done.returncode == 1, done.stdout
    assert f"{NAME}.ipynb left recorded answers unused: GET /api/3/me (number 1)" in done.stdout


def test_a_request_that_was_not_recorded_fails_and_is_named(lessons: Lessons) -> None:
    change_recording(lessons, lambda round_trips: round_trips[0]["request"].update(path="/api/3/tasks"))
    done = validate(lessons)
    assert done.returncode == 1, done.stdout
    assert f"{NAME}.json holds no response to GET /api/3/me." in done.stdout
    assert "The next response is for GET /api/3/tasks." in done.stdout


def test_a_notebook_that_reaches_for_the_network_fails(lessons: Lessons) -> None:
    """R44, the canary: the guard is loaded in the kernels that validate, and lets them talk to themselves."""
    own = "import socket, threading\nserver = socket.create_server(('127.0.0.1', 0))\n"
    cells = [
        own + "socket.create_connection(server.getsockname()).close()",
        "socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "socket.socket().connect_ex(('192.0.2.2', 80))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.3', 53))",
        "socket.getaddrinfo('example.test', 443)",
        "socket.getaddrinfo('localhost.example.test', 443)",
        "import requests\nrequests.get('https://192.0.2.4/', timeout=5)",
    ]
    code = [new_code_cell(source, execution_count=number) for number, source in enumerate(cells, 1)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=code, metadata=kernel), lessons.path("canary"))
    done = validate(lessons, "canary")
    assert done.returncode == 1, done.stdout
    assert "6 failed, 1 passed" in done.stdout
    strangers = [f"192.0.2.{number}" for number in range(1, 5)] + ["example.test", "localhost.example.test"]
    for stranger in strangers:
        assert f"A notebook under validation tried to reach {stranger}." in done.stdout, stranger
