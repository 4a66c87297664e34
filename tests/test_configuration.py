"""Where settings come from: the environment first, then the nearest .env."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.machine import own_machine

from redbooth_nb.configuration import (
    Configuration,
    ConfigurationError,
    for_people,
    make_private,
    read_env_file,
)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


def test_the_environment_beats_the_file_and_empty_counts_as_none(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine / ".env").write_text("REDBOOTH_A=file\nREDBOOTH_B=file\nREDBOOTH_C=\n")
    monkeypatch.setenv("REDBOOTH_A", "environment")
    monkeypatch.setenv("REDBOOTH_B", "  ")
    configuration = Configuration.read()
    assert [configuration.get(f"REDBOOTH_{name}", "default") for name in "ABCD"] == [
        "environment",
        "file",
        "default",
        "default",
    ]


def test_the_nearest_env_file_counts(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = machine / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Configuration.read().env_file == machine / ".env"  # beside .env.example, although it is not there yet
    (machine / "a" / ".env").touch()
    assert Configuration.read().env_file == machine / "a" / ".env"


def test_nothing_is_exported(machine: Path) -> None:
    """R43."""
    (machine / ".env").write_text("REDBOOTH_CLIENT_SECRET=not-exported\n")
    assert Configuration.read().get("REDBOOTH_CLIENT_SECRET") == "not-exported"
    assert "not-exported" not in str(os.environ)


@pytest.mark.parametrize("value", ["${HOME}", "a$b", "${REDBOOTH_A:-x}"])
def test_a_dollar_in_a_value_is_a_dollar(machine: Path, value: str) -> None:
    (machine / ".env").write_text(f"REDBOOTH_X='{value}'\n")
    assert Configuration.read().get("REDBOOTH_X") == value


def test_a_file_that_is_no_text_is_named(machine: Path) -> None:
    (machine / ".env").write_bytes(b"REDBOOTH_X=\xff\xfe\n")
    with pytest.raises(ConfigurationError, match=r"\.env is not UTF-8 text") as caught:
        Configuration.read()
    assert "UTF-8" in caught.value.remedy


def test_a_file_that_may_not_be_read_is_named(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / ".env").touch()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("redbooth_nb.configuration.dotenv_values", refuse)
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Permission denied\)") as caught:
        Configuration.read()
    assert "chmod 600" in caught.value.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pipes in folders")
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_named_and_not_waited_for(machine: Path, make: Callable[[Path], None]) -> None:
    make(machine / ".env")
    with pytest.raises(ConfigurationError, match=r"\.env is not a regular file") as caught:
        Configuration.read()
    assert "Move it out of the way" in caught.value.remedy


@pytest.mark.parametrize("chosen", ["", "~/state"])
def test_a_home_folder_that_is_not_known_is_a_sentence(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    """Not a folder called ~ where the command happens to run."""
    monkeypatch.setenv("REDBOOTH_STATE_DIR", chosen)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does for a user without one
    with pytest.raises(ConfigurationError, match="home folder") as caught:
        _ = Configuration.read().state_dir
    assert "REDBOOTH_STATE_DIR" in caught.value.remedy
    assert for_people(Path("/a/b")) == str(Path("/a/b"))


def test_a_missing_file_has_no_values(machine: Path) -> None:
    assert read_env_file(machine / ".env") == {}


@pytest.mark.parametrize(("value", "on"), [("", False), ("0", False), ("no", False), ("1", True), ("yes", True)])
def test_unattended(monkeypatch: pytest.MonkeyPatch, value: str, on: bool) -> None:  # noqa: FBT001
    monkeypatch.setenv("REDBOOTH_UNATTENDED", value)
    assert Configuration.read().unattended == on


def test_the_state_folder_is_the_users_or_the_one_chosen(monkeypatch: pytest.MonkeyPatch, machine: Path) -> None:
    """R37: absolute, so that it does not move with the working directory, and never inside a repository."""
    for wrong in ("here", "./here", str(machine / "here")):
        monkeypatch.setenv("REDBOOTH_STATE_DIR", wrong)
        (machine / ".git").mkdir(exist_ok=True)
        with pytest.raises(ConfigurationError, match="a relative path or a folder inside this repository"):
            _ = Configuration.read().state_dir
    (machine / ".git").rmdir()
    assert Configuration.read().state_dir == machine / "here"
    monkeypatch.setenv("REDBOOTH_STATE_DIR", "~/there")
    assert Configuration.read().state_dir == Path.home() / "there"
    monkeypatch.delenv("REDBOOTH_STATE_DIR")
    default = Configuration.read().state_dir
    assert default.is_absolute()
    assert machine not in default.parents


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_every_folder_that_is_made_is_private_and_others_are_left_alone(machine: Path) -> None:
    """R33."""
    shared = machine / "shared"
    shared.mkdir(mode=0o755)
    mask = os.umask(0)
    try:
        make_private(shared / "a" / "b")
        make_private(shared / "a" / "b")
    finally:
        os.umask(mask)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (shared, shared / "a", shared / "a" / "b")]
    assert modes == [0o755, 0o700, 0o700]


def test_a_path_to_show_does_not_name_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert for_people(tmp_path / "a" / "b") == str(Path("~/a/b"))
    assert for_people(Path("/elsewhere/b")) == str(Path("/elsewhere/b"))


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted there")
def test_a_working_folder_that_is_gone_is_a_sentence(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (gone := machine / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigurationError, match="no longer exists"):
        Configuration.read()
