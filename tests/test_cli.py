"""The command `redbooth-nb`, as a person starts it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
import requests
from client.machine import own_machine, save_registered, unused_port
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from redbooth_nb.cli import main

ROOT = Path(__file__).parents[1]
START_ELSEWHERE = (
    "import pathlib, sys\n"
    "from redbooth_nb import cli, working_copies\n"
    "working_copies.REPOSITORY = pathlib.Path(sys.argv[1])\n"
    "sys.exit(cli.main(sys.argv[2:]))"
)
KEY, SECRET = "an-api-key", "canary-app-secret-11e8"
URI = "http://127.0.0.1:8765/callback"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python with these arguments; what still runs at the end is ended."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(  # noqa: S603  (our own command)
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["run", "--help"], ["run", "-h"], ["doctor", "--help"], ["doctor", "-h"]]
)
def test_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    told = capsys.readouterr().out
    for command in ("lab", "run", "doctor", "sandbox"):
        assert command in told


def test_it_says_its_own_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{version('redbooth-nb')}\n"


def test_the_doctor_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "foo"]) == 2
    assert capsys.readouterr().err.startswith("There is no command 'doctor foo'.")


def test_a_command_that_does_not_exist_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbx"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("There is no command 'sandbx'.\nusage: ")
    assert captured.out == ""


def test_it_is_installed_as_a_command() -> None:
    command = shutil.which("redbooth-nb", path=str(Path(sys.executable).parent))
    assert command is not None
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


# The lessons


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder with the lessons in it."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "repository" / "notebooks")
    return tmp_path / "repository"


def test_lab_prints_a_link_to_the_first_lesson_and_serves_it(start: Start, repository: Path) -> None:
    """Options go on to JupyterLab: here a port, and an address below which it serves."""
    options = ["--no-browser", "--port", "0", "--ServerApp.base_url=/class/"]
    process = start("-c", START_ELSEWHERE, str(repository), "lab", *options)
    assert process.stderr is not None
    printed: list[str] = []
    found = None
    for line in process.stderr:
        printed.append(line)
        found = re.search(r"(http://127\.0\.0\.1:\d+/class/)(lab/tree/00-start-here\.ipynb)\?(token=\w{40,})$", line)
        if found:
            break
    assert found, "".join(printed)
    base, _, token = found.groups()
    browser = requests.Session()  # it prints the link a moment before it listens
    browser.mount("http://", HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.1)))
    page = browser.get(found[0], timeout=20)
    assert page.status_code == 200
    assert "JupyterLab" in page.text
    answer = requests.get(f"{base}api/contents/00-start-here.ipynb?{token}", timeout=20)
    assert answer.status_code == 200, answer.text
    lesson = answer.json()["content"]
    assert "see how an app gets access to Redbooth" in lesson["cells"][0]["source"]
    assert [cell for cell in lesson["cells"] if cell.get("outputs")] == []
    assert requests.get(f"{base}api/contents", timeout=20).status_code == 403  # without the token
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_the_first_word_may_be_left_out(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("redbooth_nb.working_copies.REPOSITORY", repository)
    monkeypatch.setattr("jupyterlab.labapp.main", started.append)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    for arguments in ([], ["lab"], ["--no-browser"], ["lab", "--no-browser"]):
        assert main(arguments) == 0
    assert [options[-1] == "--no-browser" for options in started] == [False, False, True, True]
    assert all(f"--ServerApp.root_dir={repository / 'my-notebooks'}" in options for options in started)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    assert all(("--allow-root" in options) == root for options in started)


def test_without_lessons_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("redbooth_nb.working_copies.REPOSITORY", tmp_path / "nowhere")
    assert main(["--no-browser"]) == 1
    assert capsys.readouterr().err.startswith("There are no lessons in ")


# The sandbox


def sandbox(start: Start, *options: str) -> "tuple[subprocess.Popen[str], dict[str, str]]":
    """Start the sandbox; return its process and the line it printed."""
    process = start("-m", "redbooth_nb", "sandbox", "--port", "0", *options)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return process, json.loads(line)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_says_where_it_is_answers_and_ends_cleanly(start: Start, how: signal.Signals) -> None:
    credentials = ["--client-id", KEY, "--client-secret", SECRET, "--redirect-uri", URI]
    process, line = sandbox(start, *credentials, "--token-lifetime", "5", "--code-lifetime", "60")
    base_url = line.pop("base_url")
    assert line == {"client_id": KEY, "client_secret": SECRET, "redirect_uri": URI}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", base_url)
    assert requests.get(f"{base_url}/api/3/me", timeout=10).status_code == 401
    query = {"client_id": KEY, "response_type": "code", "redirect_uri": URI}
    assert requests.get(f"{base_url}/oauth2/authorize", params=query, timeout=10).status_code == 200
    process.send_signal(how)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_a_sandbox_with_a_file_remembers(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "class" / "sandbox.sqlite3"
    seen = []
    for _ in range(2):
        process, line = sandbox(start, "--state", str(file), "--client-id", KEY)
        seen.append(line["client_secret"])
        process.terminate()
        process.communicate(timeout=20)
    assert seen[0] == seen[1]
    assert file.stat().st_mode & 0o077 == 0


def test_a_busy_port_is_a_sentence(start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as busy:
        port = busy.getsockname()[1]
        process = start("-m", "redbooth_nb", "sandbox", "--port", str(port))
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert str(port) in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--port", "many"], "argument --port: invalid int value: 'many'"),
        (["--token-lifetime"], "argument --token-lifetime: expected one argument"),
    ],
)
def test_a_wrong_option_is_told_as_usual(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", *options])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--redirect-uri", "/callback"], ["--redirect-uri", "http://my-app.test/#back"], ["--token-lifetime", "-5"]],
)
def test_a_value_that_cannot_be_is_a_sentence(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--port", "0", *options]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err


def test_the_sandboxs_help_names_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "usage: redbooth-nb sandbox" in told
    for option in ("--port", "--client-id", "--client-secret", "--redirect-uri", "--token-lifetime", "--state"):
        assert option in told


# A script of one's own


@pytest.mark.parametrize(
    ("arguments", "words"), [([], "No script was given."), (["none.py"], "There is no script none.py in the folder")]
)
def test_run_asks_for_a_script(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *arguments]) == 1
    assert capsys.readouterr().err.startswith(words)


def test_a_notebook_is_no_script(capsys: pytest.CaptureFixture[str]) -> None:
    """Its JSON may be an expression that Python can read, and then nothing would happen."""
    assert main(["run", str(ROOT / "notebooks" / "00-start-here.ipynb")]) == 1
    assert "is a notebook, not a script." in capsys.readouterr().err


def test_run_without_an_app_names_the_lesson(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (machine / "app.py").write_text("print('never')")
    assert main(["run", "app.py"]) == 1
    captured = capsys.readouterr()
    assert "01-register" in captured.err
    assert captured.out == ""


def test_run_delivers_an_unchanged_script_to_the_provider(start: Start, machine: Path) -> None:
    """Its arguments, its exit status and its credentials are as in a run of its own."""
    save_registered(KEY, SECRET, f"http://127.0.0.1:{unused_port()}/callback")
    (machine / "app.py").write_text(
        "import os, sys, requests\n"
        "answer = requests.get('https://redbooth.com/api/3/me', timeout=10)\n"
        "print(answer.status_code, answer.url, sys.argv, os.environ['REDBOOTH_CLIENT_ID'], __name__)\n"
        "sys.exit(7)\n"
    )
    process = start("-m", "redbooth_nb", "run", "app.py", "--its-own", "option")
    out, err = process.communicate(timeout=60)
    assert out == f"401 https://redbooth.com/api/3/me ['app.py', '--its-own', 'option'] {KEY} __main__\n", err
    assert process.returncode == 7


# Without the repository


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the package be where a wheel puts it: alone, with no lessons beside it."""
    shutil.copytree(ROOT / "redbooth_nb", tmp_path / "site" / "redbooth_nb")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    return tmp_path / "site"


def test_without_the_repository_all_but_the_lessons_work(start: Start, installed: Path, machine: Path) -> None:
    before = sorted(path.name for path in installed.iterdir())
    register = "import redbooth_nb; print(redbooth_nb.__file__); redbooth_nb.catch_up('authorize')"
    out, err = start("-c", register).communicate(timeout=60)
    assert out.startswith(str(installed)), err
    (machine / "app.py").write_text(
        "import requests\nprint(requests.get('https://redbooth.com/api/3/me', timeout=10).status_code)\n"
    )
    assert start("-m", "redbooth_nb", "run", "app.py").communicate(timeout=60)[0] == "401\n"
    process, _ = sandbox(start)
    process.terminate()
    process.communicate(timeout=20)
    told = start("-m", "redbooth_nb", "doctor").communicate(timeout=60)[0]
    assert [line for line in told.splitlines() if line.startswith("broken") and "Port 8765" not in line] == []
    assert "Lessons: none here" in told
    lab = start("-m", "redbooth_nb")
    err = lab.communicate(timeout=60)[1]
    assert (lab.returncode, err.splitlines()[0][:24]) == (1, "There are no lessons in ")
    assert "Outside a clone, these commands work: run, doctor, sandbox" in err
    assert sorted(path.name for path in installed.iterdir()) == before
