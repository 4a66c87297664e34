"""`redbooth-nb doctor` names what is broken, with its remedy, and tells by its status whether anything is."""

import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from client.machine import own_machine, unused_port

from redbooth_nb import doctor as doctor_module
from redbooth_nb.cli import main
from redbooth_nb.client.register import save_credentials
from redbooth_nb.doctor import doctor

SECRET = "canary-app-secret-7a71"
Lines = Callable[[], tuple[int, str]]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own, with free ports and a browser."""
    with own_machine(tmp_path, monkeypatch) as folder:
        monkeypatch.setattr(doctor_module, "SANDBOX_PORT", unused_port())
        monkeypatch.setattr(doctor_module, "DEFAULT_REDIRECT_URI", f"http://127.0.0.1:{unused_port()}/callback")
        monkeypatch.setattr(webbrowser, "get", lambda: None)
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
    assert "sandbox" in line(printed, "is answered by")


def test_the_command_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "All is well." in capsys.readouterr().out


def test_credentials_are_named_and_the_secret_is_not(visit: Lines) -> None:
    save_credentials("an-api-key", SECRET, f"http://127.0.0.1:{unused_port()}/callback")
    status, printed = visit()
    assert status == 0
    assert "client id an-api-key" in line(printed, "Credentials:")
    assert SECRET not in printed


def test_a_package_outside_its_range_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "requires", lambda _: ["requests>=99", "a-package-nobody-has>=1"])
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
        monkeypatch.setattr(doctor_module, "DEFAULT_REDIRECT_URI", f"http://127.0.0.1:{port}/callback")
        status, printed = visit()
    assert status == 1
    assert "Another program is using it" in line(printed, f"Port {port}")


def test_a_setting_that_names_no_provider_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "sandpit")
    status, printed = visit()
    assert status == 1
    assert "Use sandbox, recorded, live" in line(printed, "sandpit")


def test_settings_that_are_no_text_are_broken(visit: Lines, machine: Path) -> None:
    (machine / ".env").write_bytes(b"REDBOOTH_CLIENT_ID=\xff\xfe")
    status, printed = visit()
    assert status == 1
    assert "encoding UTF-8" in line(printed, "is not UTF-8 text")


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
    assert line(printed, "State:").startswith("broken")


def test_a_damaged_sandbox_file_is_broken_and_left_as_it_is(visit: Lines, tmp_path: Path) -> None:
    file = tmp_path / "state" / "sandbox" / "sandbox.sqlite3"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database " * 100)
    before = file.read_bytes()
    status, printed = visit()
    assert status == 1
    assert line(printed, "sandbox.sqlite3").startswith("broken")
    assert file.read_bytes() == before


def test_without_a_network_live_is_broken(visit: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise requests.ConnectionError("nothing there")

    monkeypatch.setattr(requests, "head", no_network)
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
    monkeypatch.setattr(doctor_module.time, "time", lambda: 1_000_000.0)
    status, printed = visit()
    assert status == 1
    assert line(printed, "Browser:").startswith("note")
    assert line(printed, "Clock:").startswith("broken")
