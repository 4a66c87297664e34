"""The situations for the functions that use files: `read_credentials()` and `save(credentials, token)`."""

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from redbooth_nb.lessons.trial import Json, Mistake, Trial, expect

TOKEN_FILE = Path("my_redbooth_token.json")
MOST_KILLS = 40
FULL = 2**16  # bytes, the largest file on a disk that is full
CHANGES = {"open", "os.chmod", "os.remove", "os.rename", "os.truncate"}
NEW: Json = {"access_token": "access-token-2", "refresh_token": "refresh-token-2", "expires_in": 7200}
OLD: Json = NEW | {"access_token": "access-token-1", "refresh_token": "refresh-token-1", "note": "x" * 1000}  # longer
KILLED: Json = NEW | {"note": "x" * 2000}  # the longest: what is left of it must not be the end of another


def write_env(trial: Trial, **changed: str) -> dict[str, str]:
    """Write the app's credentials to .env, except those changed to "", and return all of them."""
    values: dict[str, str] = trial.credentials | changed
    Path(".env").write_text("".join(f"REDBOOTH_{name.upper()}='{value}'\n" for name, value in values.items() if value))
    return values


def read_credentials_file(trial: Trial) -> None:
    values = write_env(trial, redirect_uri="http://127.0.0.1:9000/back")
    Path(".env").write_text(f"# My app\nexport {Path('.env').read_text()}\nOTHER=1\n")
    found = trial.run()
    check_privacy(trial, "others_can_read_a_copy")
    expect(isinstance(found, dict) and {*found} >= {*values}, "not_these_names", names=", ".join(values))
    expect(found.items() >= values.items(), "other_values")
    expect(trial.credentials["client_secret"] not in os.environ.values(), "in_environment")


def read_credentials_signs(trial: Trial) -> None:
    values = write_env(trial, client_secret="pa$$w#rd-${HOME}")
    expect(trial.run().get("client_secret") == values["client_secret"], "changed_signs")


def read_credentials_environment(trial: Trial) -> None:
    for name in write_env(trial):
        os.environ[f"REDBOOTH_{name.upper()}"] = f"{name}-from-the-environment"
        trial.forget()
        expect(trial.run().get(name) == f"{name}-from-the-environment", "file_first", name=name.upper())
    Path(".env").unlink()
    trial.forget()
    expect({*trial.run().values()} >= {f"{name}-from-the-environment" for name in trial.credentials}, "file_required")


def read_credentials_missing(trial: Trial) -> None:
    for name in write_env(trial):
        write_env(trial, **{name: ""})
        variable = f"REDBOOTH_{name.upper()}"
        for empty in ("", f"{variable}=\n"):
            Path(".env").write_text(Path(".env").read_text() + empty)
            trial.forget()
            if isinstance(error := trial.refused(), NameError):
                raise error
            expect(error, "missing_unnoticed", name=variable)
            said = f"{error} {trial.printed()}"
            expect(variable in said and not isinstance(error, KeyError), "missing_unnamed", name=variable, error=error)


def stored() -> Any:
    """Return what the token file holds, None when it isn't JSON."""
    with suppress(OSError, ValueError):
        return json.loads(TOKEN_FILE.read_text(encoding="utf-8"))
    return None


def holds(token: Json) -> bool:
    found = stored()
    return isinstance(found, dict) and found.items() >= token.items()


def check_file(trial: Trial) -> None:
    """Raise a Mistake unless the token file is the app's own, and private."""
    found = stored()
    expect(trial.credentials["client_secret"] not in str(found), "secret_saved")
    expect(not isinstance(found, str), "json_in_json")
    expect(isinstance(found, dict), "not_json")
    expect({*found} >= {"access_token", "refresh_token"}, "not_all_saved")
    expect(found.get("client_id") == trial.credentials["client_id"], "whose_token")
    expect(TOKEN_FILE.stat().st_mode & 0o077 == 0, "others_can_read", mode=f"{TOKEN_FILE.stat().st_mode & 0o777:04o}")


def save_file(trial: Trial) -> None:
    trial.keep_secret(NEW)
    moved: list[Path] = []
    sys.addaudithook(lambda event, about: moved.append(Path(os.fsdecode(about[0]))) if event == "os.rename" else None)
    trial.run(trial.credentials, dict(NEW))
    expect(TOKEN_FILE.exists(), "no_file")
    for path in map(Path.absolute, moved):
        near = path.is_relative_to(Path.cwd()) and not path.is_relative_to(Path("temporary").absolute())
        expect(near, "other_folder")
    check_file(trial)
    check_privacy(trial, "others_can_read_a_copy")


def save_full(trial: Trial) -> None:
    trial.run(trial.credentials, dict(OLD))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, limits[1]))  # what is printed goes to a file, too
    try:
        error = trial.refused(trial.credentials, NEW | {"note": "x" * 2 * FULL})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    expect(holds(OLD), "half_written")
    expect(error, "full_hidden")


def save_again(trial: Trial) -> None:
    trial.keep_secret(OLD | NEW)
    TOKEN_FILE.write_text(json.dumps(OLD))  # by an older version, with mode 0644
    for _ in range(2):
        trial.run(trial.credentials, dict(NEW))
    expect(holds(NEW), "not_json" if stored() is None else "not_all_saved")
    check_file(trial)


def save_killed(trial: Trial) -> None:
    trial.keep_secret(NEW)
    # a killed process loses nothing that it has written, and syncing takes a long time
    vars(os)["fsync"] = lambda _: None
    trial.run(trial.credentials, dict(OLD))
    steps, near = _moments(trial, 0)
    for moment in sorted({*range(1, steps + 1, 1 + steps // MOST_KILLS), *near[: 2 * MOST_KILLS]}):
        trial.app["save"](trial.credentials, dict(OLD))
        expect(holds(OLD), "left_behind")
        child = os.fork()
        if child == 0:
            patch.stopall()  # so that random names differ from those before
            _moments(trial, moment)
            os._exit(0)
        os.waitpid(child, 0)
        expect(holds(OLD) or holds(NEW), "half_written")
        check_privacy(trial, "others_can_read_for_a_moment")
    trial.run(trial.credentials, dict(NEW))
    expect(holds(NEW), "left_behind")


def check_privacy(trial: Trial, mistake: str) -> None:
    """Raise this Mistake if others can read a secret in any file, by its mode and by those of its folders."""
    for file in {*Path.cwd().rglob("*")} - {Path(name).absolute() for name in ("printed", ".env")}:
        ways = [file, *(parent for parent in file.parents if parent.is_relative_to(Path.cwd()))]
        open_to_others = file.is_file() and all(way.stat().st_mode & 0o055 for way in ways[:-1])
        content = file.read_bytes() if open_to_others else b""
        if any(secret.encode() in content for secret in trial.secrets):
            raise Mistake(mistake, file=file.name)


def _moments(trial: Trial, kill_at: int) -> tuple[int, list[int]]:
    """Save; the process is killed at one step. Return how many there were, and which came after a file changed."""
    count, near = 0, list[int]()

    def step(*_: object) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def changed(event: str, about: tuple[object, ...]) -> None:
        if event in CHANGES and "site-packages" not in str(about[0]):
            near.extend((count, count + 1, count + 2))  # the first is right before the change

    sys.addaudithook(changed)
    sys.setprofile(step)
    try:
        trial.app["save"](trial.credentials, dict(KILLED))
    finally:
        sys.setprofile(None)
    return count, near
