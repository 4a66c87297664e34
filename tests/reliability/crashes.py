"""Killed at every line between the answer's arrival and the end of the save, and at random moments besides (R26).

A helper process has everything loaded, forks a child for each refresh, and sees it die; the service and the checks
live in the process that starts it. `Helper` is that process; this file is also its program.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

AFTER_THE_ANSWER = ("client/refresh.py", "client/exchange.py", "client/token.py",
                    "client/private_file.py", "json/encoder.py", "pathlib.py")  # fmt: skip


# -- in the helper ------------------------------------------------------------------------------------------------


class Death:
    """Counts the lines of the files above once the answer has arrived, and kills this process at number `stop_at`."""

    def __init__(self, stop_at: int, report: int) -> None:
        self.stop_at, self.report = stop_at, report
        self.count = 0

    def line(self, frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401  (a trace function)
        """Count a line, or die at it."""
        if event == "line":
            self.count += 1
            if self.count == self.stop_at:
                where = f"{Path(frame.f_code.co_filename).name} {frame.f_code.co_name}"
                os.write(self.report, json.dumps({"where": where}).encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return self.line

    def enter(self, frame: FrameType, _: str, __: Any) -> Any:  # noqa: ANN401
        """Look at the lines of a function that is called from now on."""
        return self.line if frame.f_code.co_filename.endswith(AFTER_THE_ANSWER) else None

    def begin(self) -> None:
        """Begin to count, also in the functions that are under way already."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename.endswith(AFTER_THE_ANSWER):
                frame.f_trace = self.line
            frame = frame.f_back
        sys.settrace(self.enter)


def refresh_and_die(stop_at: int, report: int) -> None:
    """Refresh; die at line number `stop_at` after the answer (0: never, but count; -1: do not even count)."""
    from redbooth_nb.client import private_file, refresh, wire  # noqa: PLC0415  (the helper's side only)

    death, saved = Death(stop_at, report), [0.0]
    read, rename_part = wire.read_within, private_file.rename_part

    def arrived(*arguments: Any, **options: Any) -> None:  # noqa: ANN401
        read(*arguments, **options)
        death.begin()

    def synced(path: Path) -> None:
        rename_part(path)
        if path.name == "token.json":
            saved[0] = time.monotonic()

    if stop_at >= 0:
        wire.read_within = arrived
    private_file.rename_part = synced
    refresh.refresh()
    sys.settrace(None)
    os.write(report, json.dumps({"lines": death.count, "saved": saved[0]}).encode())


def serve() -> None:
    """Run one refresh per line of input: {"line": n} dies at a line, {"after": s} is killed after so many seconds."""
    import redbooth_nb.client.refresh  # noqa: F401, PLC0415  (before the fork)

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for told in map(json.loads, sys.stdin):
        os.environ.update(told.get("environment", {}))
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            refresh_and_die(told.get("line", -1), writer)
            os._exit(0)
        os.close(writer)
        if "after" in told:  # until the child reports that it is done, or its time is up
            select.select([reader], [], [], told["after"])
            os.kill(child, signal.SIGKILL)
        said = b""
        while more := os.read(reader, 65_536):
            said += more
        os.close(reader)
        _, status = os.waitpid(child, 0)
        done = {"killed": os.WIFSIGNALED(status), "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0}
        sys.stdout.write(json.dumps({**(json.loads(said) if said else {}), **done}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
    sys.exit()

# -- in the process that looks ------------------------------------------------------------------------------------

from reliability.scene import Scene  # noqa: E402  (the helper has no use for it)

from redbooth_nb.client.errors import AuthorizeAgain  # noqa: E402
from redbooth_nb.client.refresh import RedboothSession, refresh  # noqa: E402


class Helper:
    """The process that forks a child for each refresh."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def run(self, **told: Any) -> dict[str, Any]:  # noqa: ANN401
        """Let a child refresh, and die as told."""
        names = ("REDBOOTH_PROVIDER", "REDBOOTH_STATE_DIR", "HOME")
        told["environment"] = {name: os.environ[name] for name in names}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        done: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert not done["failed"]
        return done

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()


@contextmanager
def helper() -> Iterator[Helper]:
    """Start the helper."""
    made = Helper()
    try:
        yield made
    finally:
        made.end()


@dataclass
class Crashes:
    """What was found after the kills."""

    kills: int = 0
    kept: int = 0
    lost: int = 0
    where_lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    points: int = 0


def look(scene: Scene, done: dict[str, Any], before: str, found: Crashes) -> None:
    """Start again after a kill: the store loads, and what was lost is named and has a way out."""
    where = done.get("where", "at random")
    found.kills += done["killed"]
    token = scene.store.load()  # raises where the file is damaged
    if token is None:
        found.wrong.append(f"{where}: the token is gone")
        return
    replaced, named = token.access_token.reveal() != before, scene.store.interrupted()
    try:
        refresh(scene.settings)
    except AuthorizeAgain as error:
        found.lost += 1
        found.where_lost.append(where)
        if scene.rotation != "at once":
            found.wrong.append(f"{where}: lost, and the service had kept the old pair")
        if "before the new one was saved" not in error.why or not named or replaced:
            found.wrong.append(f"{where}: lost, and the next start did not say so")
        if scene.store.load() != token:
            found.wrong.append(f"{where}: the stored token was changed")
        scene.authorize()  # the way out
    else:
        found.kept += done["killed"]  # else it was through before its time was up
    if scene.store.interrupted():
        found.wrong.append(f"{where}: the mark stayed")
    if not RedboothSession(scene.settings).get("/me").ok:
        found.wrong.append(f"{where}: the token after the crash is refused")
    left = [path.name for path in scene.settings.folder.glob(".token.json.*")]
    if left:
        found.wrong.append(f"{where}: {len(left)} forgotten files hold a token")


def at_every_line(scene: Scene, forks: Helper, step: int = 1) -> Crashes:
    """Kill at every `step`-th line from the answer's arrival to the end of the save, and at the last."""
    found = Crashes()
    found.points = forks.run(line=0)["lines"]
    for number in sorted({*range(1, found.points + 1, step), found.points}):
        before = scene.load().access_token.reveal()
        done = forks.run(line=number)
        assert done["killed"], done
        look(scene, done, before, found)
    return found


def at_random(scene: Scene, forks: Helper, number: int, seed: int = 1) -> Crashes:
    """Kill so many times, at a random moment of a refresh."""
    chance = random.Random(seed)  # noqa: S311  (repeatable on purpose)
    started = time.monotonic()
    for _ in range(5):
        forks.run()
    longest = (time.monotonic() - started) / 5 * 1.1
    found = Crashes()
    while found.kills < number:
        before = scene.load().access_token.reveal()
        look(scene, forks.run(after=chance.uniform(0, longest)), before, found)
    return found


def lossy_window(scene: Scene, forks: Helper, number: int) -> list[float]:
    """Measure, in seconds, from the moment the service has answered until the new token is safe on disk."""
    return [forks.run()["saved"] - scene.answered()[-1] for _ in range(number)]
