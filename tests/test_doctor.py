"""`redbooth-nb doctor` names what is broken, with its remedy, and tells by its status whether anything is."""

import errno
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from client.machine import FaultyServer, begin_refresh, own_machine, save_registered, unused_port

from redbooth_nb import doctor as this_machine, working_copies
from redbooth_nb.cli import main
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.doctor import doctor
from redbooth_nb.provider.sandbox import Sandbox

SECRET = "canary-app-secret-7a71"
Lines = Callable[[], tuple[int, str]]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own, with free ports and a browser."""
    with own_machine(tmp_path, monkeypatch) as folder:
        monkeypatch.setattr(this_machine, "DEFAULT_REDIRECT_URI", f"http://127.0.0.1:{unused_port()}/callback")
        monkeypatch.setattr(webbrowser, "get", lambda: None)
        (tmp_path / "repository" / "notebooks").mkdir(parents=True)
        (tmp_path / "repository" / "pyproject.toml").touch()
        for module in (this_machine, working_copies):
            monkeypatch.setattr(module, "REPOSITORY", tmp_path / "repository")
        yield folder


@pytest.fixture
def visit(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that runs the doctor and returns its status and what it printed."""

    def run() -> tuple[int, str]:
        status = doctor([])
        return status, capsys.readouterr().out

    return run


def line(printed: str, words: str) -> str:
    return next(row for row in printed.splitlines() if words in row)


def test_a_fresh_machine_is_well(visit: Lines) -> None:
    status, printed = visit()
    assert status == 0
    assert "All is well." in printed
    assert "broken" not in printed
    assert line(printed, "Packages:").startswith("ok")
    assert "sandbox" in line(printed, "are answered by")


def test_every_finding_is_worded_and_every_wording_is_used() -> None:
    source = Path(this_machine.__file__).read_text(encoding="utf-8")
    named = {name for name in this_machine.WORDINGS if f'"{name}"' in source}
    named |= {f"unreachable-{kind}" for kind in ("live", "stand-in")}
    called = {name for call in re.findall(r"found\([^,\n]*", source) for name in re.findall(r'"([\w-]+)"', call)}
    assert called <= named
    assert named == this_machine.WORDINGS.keys()
    for parts in this_machine.WORDINGS.values():
        assert parts.keys() <= {"level", "what", "remedy"}
        assert parts.get("level", "note") in {"note", "broken"}
        assert "remedy" in parts or "level" not in parts


def test_the_command_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "All is well." in capsys.readouterr().out


def test_credentials_are_named_and_the_secret_is_not(visit: Lines) -> None:
    save_registered("an-api-key", SECRET, f"http://127.0.0.1:{unused_port()}/callback")
    status, printed = visit()
    assert status == 0
    assert "client id an-api-k..." in line(printed, "Credentials:")
    assert SECRET not in printed


def test_a_package_outside_its_range_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "requires", lambda _: ["requests>=99", "a-package-nobody-has>=1"])
    status, printed = visit()
    assert status == 1
    row = line(printed, "Packages:")
    assert row.startswith("broken")
    assert "requests is" in row
    assert "a-package-nobody-has is missing" in row
    assert "uv sync" in row


@pytest.mark.parametrize("value", ["0", "1"])
def test_the_variable_that_switches_protection_off_is_broken(
    visit: Lines, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("OAUTHLIB_INSECURE_TRANSPORT", value)
        status, printed = visit()
    assert status == 1
    assert "Unset it" in line(printed, "OAUTHLIB_INSECURE_TRANSPORT")


def test_a_busy_redirect_port_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(this_machine, "DEFAULT_REDIRECT_URI", f"http://127.0.0.1:{port}/callback")
        status, printed = visit()
    assert status == 1
    assert "Another program is using it" in line(printed, f"Port {port}")


def test_localhost_is_taken_where_either_of_its_addresses_is(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kit waits on both."""
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with closing(other):
        port = other.getsockname()[1]
        monkeypatch.setattr(this_machine, "DEFAULT_REDIRECT_URI", f"http://localhost:{port}/callback")
        assert "Another program is using it" in line(visit()[1], f"Port {port}")
        monkeypatch.setattr(this_machine, "DEFAULT_REDIRECT_URI", f"http://127.0.0.1:{port}/callback")
        assert "is free" in line(visit()[1], f"Port {port}")


def test_who_holds_the_port_is_printable(visit: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    note = json.dumps({"pid": os.getpid(), "notebook": "\x1b[2Jall\nok      is well.ipynb"})
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / f"listener-{port}.json").write_text(note)
        monkeypatch.setattr(this_machine, "DEFAULT_REDIRECT_URI", f"http://127.0.0.1:{port}/callback")
        row = line(visit()[1], f"Port {port}")
    assert "The notebook ?[2Jall?ok      is well.ipynb is using it" in row


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pipes in folders")
def test_a_note_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        save_registered("an-api-key", SECRET, f"http://127.0.0.1:{port}/callback")
        os.mkfifo(tmp_path / "state" / f"listener-{port}.json")
        done = as_a_command()
    assert "Another program is using it" in line(done.stdout, f"Port {port}")


def test_a_state_folder_with_a_zero_byte_is_broken(
    visit: Lines, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDBOOTH_STATE_DIR")
    (machine / ".env").write_text("REDBOOTH_STATE_DIR=/tmp/a\0b\n")
    status, printed = visit()
    assert status == 1
    assert line(printed, "The folders check could not be completed: ValueError.").startswith("broken")


ROWS = {
    "secret_key": ["no JSON", "[]", "7"],
    "switches": ["[1]", "{", "null"],
    "clock_offset": ['"an hour"', "[" * 9999],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ROWS.items() for value in values])
def test_a_sandbox_file_with_wrong_settings_is_broken_in_words(
    visit: Lines, tmp_path: Path, name: str, value: str
) -> None:
    file = tmp_path / "state" / "sandbox" / "sandbox.sqlite3"
    Sandbox(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
    status, printed = visit()
    assert status == 1
    row = line(printed, "is damaged")
    assert row.startswith("broken")
    assert f"its setting {name} can't be read" in row
    assert "stopped" not in printed


def test_a_stand_in_is_not_told_the_password_of_the_netrc_file(
    visit: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine redbooth.com login me password from-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
        visit()
        assert ["authorization" in asked["headers"] for asked in server.received] == [False]


def test_a_setting_that_names_no_provider_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "sandpit")
    status, printed = visit()
    assert status == 1
    assert "Use sandbox, recorded, live" in line(printed, "sandpit")


def test_a_quotation_mark_that_was_forgotten_shows_no_secret(visit: Lines, machine: Path) -> None:
    """It makes the lines after it part of the value."""
    (machine / ".env").write_text("REDBOOTH_PROVIDER='live\nREDBOOTH_CLIENT_SECRET=canary-secret'\n")
    status, printed = visit()
    assert status == 1
    assert "REDBOOTH_PROVIDER is 'live ...'" in "".join(printed)
    assert "canary" not in "".join(printed)


def test_settings_that_are_no_text_are_broken(visit: Lines, machine: Path) -> None:
    (machine / ".env").write_bytes(b"REDBOOTH_CLIENT_ID=\xff\xfe")
    status, printed = visit()
    assert status == 1
    assert "save it as UTF-8" in line(printed, "is not UTF-8 text")


def test_settings_that_others_can_read_are_noted(visit: Lines, machine: Path) -> None:
    (machine / ".env").touch(mode=0o644)
    (machine / ".env").chmod(0o644)
    status, printed = visit()
    assert status == 0
    assert "chmod 600" in line(printed, "can be read by others")


def test_a_state_folder_that_is_a_file_is_broken(visit: Lines, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "state").touch()
    monkeypatch.setenv("REDBOOTH_STATE_DIR", str(machine / "state"))
    status, printed = visit()
    assert status == 1
    assert line(printed, "State folder:").startswith("broken")


def test_a_damaged_sandbox_file_is_broken_and_left_as_it_is(visit: Lines, tmp_path: Path) -> None:
    file = tmp_path / "state" / "sandbox" / "sandbox.sqlite3"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database " * 100)
    before = file.read_bytes()
    status, printed = visit()
    assert status == 1
    assert line(printed, "sandbox.sqlite3").startswith("broken")
    assert file.read_bytes() == before


def test_a_damaged_record_of_the_sign_in_is_broken(visit: Lines) -> None:
    settings = save_registered("an-app", "a-secret", "http://127.0.0.1:8765/callback")
    assert visit()[0] == 0
    settings.folder.mkdir(parents=True)
    (settings.folder / "authorization.json").write_text("garbage")
    status, printed = visit()
    assert status == 1
    assert line(printed, "authorization.json").startswith("broken")


def test_without_a_network_live_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise requests.ConnectionError("nothing there")

    monkeypatch.setattr(requests.Session, "send", no_network)
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", "an-api-key")
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", SECRET)
    status, printed = visit()
    assert status == 1
    assert line(printed, "cannot be reached").startswith("broken")
    assert SECRET not in printed


def test_a_proxy_that_takes_this_machine_too_is_noted(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    assert "NO_PROXY=127.0.0.1" in line(visit()[1], "Proxy:")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert line(visit()[1], "Proxy:").startswith("ok")


def test_no_browser_and_a_clock_that_is_behind(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_found() -> None:
        raise webbrowser.Error("none")

    monkeypatch.setattr(webbrowser, "get", none_found)
    monkeypatch.setattr(this_machine.time, "time", lambda: 1_000_000.0)
    status, printed = visit()
    assert status == 1
    assert line(printed, "Browser:").startswith("note")
    assert line(printed, "Clock:").startswith("broken")


# What used to be a traceback, a hang, silence, or the wrong remedy


def as_a_command(prefix: tuple[str, ...] = (), **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the doctor as a person does."""
    command = [*prefix, sys.executable, "-m", "redbooth_nb", "doctor"]
    more = {"env": {**os.environ, **environment}, "capture_output": True, "text": True}
    return subprocess.run(command, **more, check=False, timeout=60)  # type: ignore[call-overload, no-any-return]  # noqa: S603


def obeying_modes() -> tuple[str, ...]:
    """Return what lets a command obey the modes of files, although an administrator runs the tests."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search", "--")


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_a_state_folder_that_may_not_be_entered_is_broken(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o000)
    done = as_a_command(obeying_modes(), REDBOOTH_STATE_DIR=str(locked / "state"))
    assert (done.returncode, done.stderr) == (1, "")
    row = line(done.stdout, "State folder:")
    assert row.startswith("broken")
    assert "Permission denied" in row
    assert "set REDBOOTH_STATE_DIR" in row


@pytest.mark.parametrize("name", ["x" * 300, "/".join(["x" * 200] * 30)])
def test_a_path_that_is_too_long_is_broken(tmp_path: Path, name: str) -> None:
    done = as_a_command(REDBOOTH_STATE_DIR=str(tmp_path / name))
    assert (done.returncode, done.stderr) == (1, "")
    assert "too long" in line(done.stdout, "State folder:")


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_path_that_the_terminal_cannot_show_is_escaped(tmp_path: Path, environment: dict[str, str]) -> None:
    environment["PYTHONCOERCECLOCALE"] = "0"
    done = as_a_command(**environment, REDBOOTH_STATE_DIR=str(tmp_path / "été"))
    assert done.stderr == ""
    assert line(done.stdout, "State folder:").startswith("ok")
    assert "are answered by the sandbox" in done.stdout


def test_no_home_folder_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDBOOTH_STATE_DIR")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does for a user without one
    status, printed = visit()
    assert status == 1
    row = line(printed, "home folder")
    assert row.startswith("broken")
    assert "Set HOME" in row
    assert not Path("~").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pipes in folders")
def test_settings_that_are_a_pipe_are_broken_and_not_waited_for(machine: Path) -> None:
    os.mkfifo(machine / ".env")
    done = as_a_command()
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("is not a regular file") == 1
    assert "Move it out of the way" in line(done.stdout, "is not a regular file")


def test_settings_that_are_a_folder_are_to_be_moved_not_protected(visit: Lines, machine: Path) -> None:
    (machine / ".env").mkdir(mode=0o755)
    status, printed = visit()
    assert status == 1
    assert "Move it out of the way" in line(printed, "is not a regular file")
    assert "chmod" not in printed


def test_settings_that_cannot_be_understood_name_the_line(visit: Lines, machine: Path) -> None:
    (machine / ".env").write_text(f'REDBOOTH_X=1\n\n\nREDBOOTH_CLIENT_SECRET="{SECRET}\nREDBOOTH_Y=2\nnot a line\n')
    (machine / ".env").chmod(0o600)
    status, printed = visit()
    assert status == 1
    assert "(line 4 and 6)" in line(printed, "cannot be parsed")
    assert SECRET not in printed


def disk_is_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("provider", ["sandbox", "http://127.0.0.1:1"])
def test_a_full_disk_is_broken_whoever_answers(visit: Lines, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", provider)
    monkeypatch.setattr(tempfile, "TemporaryFile", disk_is_full)
    status, printed = visit()
    assert status == 1
    row = line(printed, "State folder:")
    assert row.startswith("broken")
    assert "Free some space" in row


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX")
def test_where_no_byte_can_be_written_it_says_so_and_ends() -> None:
    """For good, not pretended: every write to a file fails."""
    limited = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
    limited += "from redbooth_nb.cli import main; sys.exit(main(['doctor']))"
    command = [sys.executable, "-c", limited]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert (done.returncode, done.stderr) == (1, "")
    assert "Free some space" in line(done.stdout, "State folder:")


def test_a_stand_in_that_is_not_running_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = f"http://127.0.0.1:{unused_port()}"
    monkeypatch.setenv("REDBOOTH_PROVIDER", origin)
    status, printed = visit()
    assert status == 1
    row = line(printed, f"{origin} cannot be reached")
    assert row.startswith("broken")
    assert "Start it" in row


def test_a_stand_in_that_runs_is_well(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
        status, printed = visit()
    assert status == 0
    assert line(printed, f"{server.origin} can be reached").startswith("ok")


def test_a_refresh_that_was_cut_off_is_broken(visit: Lines) -> None:
    settings = save_registered("an-api-key", SECRET, f"http://127.0.0.1:{unused_port()}/callback")
    store = TokenStore(settings.folder)
    answer = {"access_token": "canary-access", "refresh_token": "canary-refresh", "expires_in": 7200}
    token = Token.from_response({**answer, "token_type": "bearer"}, 0.0)
    store.save(token)
    assert line(visit()[1], "Token:").startswith("ok")
    begin_refresh(store, token)
    status, printed = visit()
    assert status == 1
    row = line(printed, "Token:")
    assert row.startswith("broken")
    assert "a refresh was interrupted" in row
    assert "02-authorize" in row
    assert "canary" not in printed


@pytest.mark.parametrize("error", [ValueError(SECRET), OSError(SECRET), KeyError("x"), RecursionError()])
def test_whatever_a_check_raises_is_a_finding_and_the_others_go_on(
    visit: Lines, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> object:
        raise error

    monkeypatch.setattr(this_machine, "getproxies", fail)
    status, printed = visit()
    assert status == 1
    assert "The surroundings check could not be completed" in printed
    assert line(printed, "Clock:").startswith("ok")  # what it found before counts
    assert SECRET not in printed


def test_the_same_thing_is_said_once(visit: Lines, machine: Path) -> None:
    (machine / ".env").write_bytes(b"\xff")
    assert visit()[1].count("UTF-8 text") == 1


def test_installed_without_lessons_nothing_is_broken(
    visit: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As from a wheel: the folder above the package belongs to others, and is not complained about."""
    monkeypatch.setattr(working_copies, "REPOSITORY", tmp_path)
    status, printed = visit()
    assert status == 0
    assert "Lessons: none here" in printed
    assert "Working copies" not in printed


def test_it_leaves_nothing_behind(visit: Lines, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    visit()
    assert {path.relative_to(tmp_path).parts[0] for path in set(tmp_path.rglob("*")) - before} == {"state"}
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["sandbox"]
