"""The situations for `save(credentials, token)`."""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from redbooth_nb.lessons.trial import Mistake, Situation, Trial, expect

TOKEN_FILE = Path("my_redbooth_token.json")
MOST_KILLS = 40


def stored() -> Any:
    """Return what the token file holds, None when it is no JSON."""
    with suppress(OSError, ValueError):
        return json.loads(TOKEN_FILE.read_text(encoding="utf-8"))
    return None


def holds(token: dict[str, Any]) -> bool:
    """Whether the token file holds all of a token."""
    found = stored()
    return isinstance(found, dict) and found.items() >= token.items()


def _pair(number: int) -> dict[str, Any]:
    pair = {"access_token": f"access-token-{number}", "refresh_token": f"refresh-token-{number}", "expires_in": 7200}
    return pair | {"note": "x" * 1000} if number == 1 else pair  # the old one is longer than the new one


def _file(trial: Trial) -> None:
    trial.keep_secret(_pair(2))
    moved: list[Path] = []
    sys.addaudithook(lambda event, about: moved.append(Path(about[0])) if event == "os.rename" else None)
    trial.run(trial.credentials, _pair(2))
    expect(TOKEN_FILE.exists(), "no_file")
    for path in map(Path.absolute, moved):
        near = path.is_relative_to(Path.cwd()) and not path.is_relative_to(Path("temporary").absolute())
        expect(near, "other_folder")
    check_file(trial)


def check_file(trial: Trial) -> None:
    """Raise a Mistake unless the token file is the app's own, and private."""
    found = stored()
    expect(isinstance(found, dict), "not_json")
    expect({*found} >= {"access_token", "refresh_token"}, "not_all_saved")
    expect(found.get("client_id") == trial.credentials["client_id"], "whose_token")
    expect(TOKEN_FILE.stat().st_mode & 0o077 == 0, "others_can_read", mode=f"{TOKEN_FILE.stat().st_mode & 0o777:04o}")


def _again(trial: Trial) -> None:
    trial.keep_secret(_pair(1) | _pair(2))
    TOKEN_FILE.write_text(json.dumps(_pair(1)))  # by an older version, with mode 0644
    for _ in range(2):
        trial.run(trial.credentials, _pair(2))
    expect(holds(_pair(2)), "not_json" if stored() is None else "not_all_saved")
    check_file(trial)


def _killed(trial: Trial) -> None:
    vars(os)["fsync"] = lambda _: None  # a killed process loses nothing that it has written, and syncing takes long
    trial.run(trial.credentials, _pair(1))
    moments = _moments(trial, 0)
    for moment in range(1, moments + 1, 1 + moments // MOST_KILLS):
        trial.app["save"](trial.credentials, _pair(1))
        child = os.fork()
        if child == 0:
            _moments(trial, moment)
            os._exit(0)
        os.waitpid(child, 0)
        expect(holds(_pair(1)) or holds(_pair(2)), "half_written")
        for file in Path.cwd().rglob("*"):
            ways = [file, *(parent for parent in file.parents if parent.is_relative_to(Path.cwd()))]
            open_to_others = file.is_file() and all(way.stat().st_mode & 0o055 for way in ways[:-1])
            if open_to_others and b"access-token-2" in file.read_bytes():
                raise Mistake("others_can_read_for_a_moment", file=file.name)
    trial.run(trial.credentials, _pair(2))
    expect(holds(_pair(2)), "not_all_saved")


def _moments(trial: Trial, kill_at: int) -> int:
    """Save, and return how many steps that took; be killed at one of them."""
    count = 0

    def step(*_: object) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(step)
    try:
        trial.app["save"](trial.credentials, _pair(2))
    finally:
        sys.setprofile(None)
    return count


SITUATIONS: dict[str, dict[str, Situation]] = {"save": {"file": _file, "again": _again, "killed": _killed}}
