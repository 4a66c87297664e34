"""The process in which a learner's functions are tried out: `python -m redbooth_nb.lessons.judge`.

It reads a job per line (JSON), and answers each with a line: a report for every situation. Each situation happens in
a process of its own, with a Redbooth, a folder and an environment of its own, and is killed when it takes too long.
"""

import contextlib
import hashlib
import json
import os
import resource
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from unittest.mock import patch

from requests_oauthlib import OAuth2Session

from redbooth_nb.child_processes import sitecustomize
from redbooth_nb.errors import printable
from redbooth_nb.lessons.situations import authorize, exchange, refresh, register, save, whole_app
from redbooth_nb.lessons.trial import Json, Mistake, Situation, Trial
from redbooth_nb.provider.adapter import InProcessDelivery
from redbooth_nb.traffic.redaction import hide_in_text

LONGEST = 1.5  # seconds for a situation, on a machine that isn't busy; after one that doesn't end, no other is tried
SHORT = 0.02  # seconds
LONGEST_ALONE = 20  # seconds; nobody may be left to end it
MOST_CPU = 2  # seconds
LARGEST_FILE = 2**24  # bytes
NOW = 1_800_000_000.0  # Unix seconds, everywhere in a situation
LONGEST_ERROR = 500  # characters
LARGEST = 2000  # characters of what a function printed
SITUATIONS: dict[str, dict[str, Situation]] = {}
for _stage in (register, authorize, exchange, save, refresh, whole_app):
    SITUATIONS |= _stage.SITUATIONS


def take_place(situation: Situation, script: str, function: str) -> Json:
    """Let a situation happen here, and report the mistake that was made in it, "" for none."""
    mistake, invented = Mistake(""), _invented()
    output = Path("printed").absolute()
    # so that what is printed is the same every time
    with patch.multiple(secrets, token_hex=invented, token_urlsafe=invented), patch("time.time", lambda: NOW):
        trial = Trial(script, function)
        with (
            patch("time.time", lambda: NOW + trial.later),
            patch.multiple("webbrowser", open=_open_nothing, get=_open_nothing),
            patch.object(InProcessDelivery, "send", trial.watch_requests(InProcessDelivery.send)),
            patch.object(OAuth2Session, "fetch_token", trial.watch_fetch_token(OAuth2Session.fetch_token)),
        ):
            try:
                situation(trial)
            except Mistake as error:
                mistake = error
            except NameError as error:
                mistake = Mistake("unknown_name", name=error.name)
            except BaseException as error:
                mistake = Mistake("raised", error=_where(error, trial))
    with contextlib.suppress(ValueError):  # closed
        sys.stdout.flush()
    printed = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
    if any(secret in printed or secret[::-1] in printed for secret in trial.secrets):
        mistake, printed = Mistake("printed_secret"), ""
    shown = printable(hide_in_text(printed), LARGEST)
    return report(mistake, [str(round_trip) for round_trip in trial.seen], shown)


def _open_nothing(*_: object, **__: object) -> None:
    raise Mistake("link_opened")


def _invented() -> Callable[..., str]:
    """Return a source of values that look random."""
    numbers = count()
    return lambda *_: hashlib.sha256(b"%d" % next(numbers)).hexdigest()


def report(mistake: Mistake, seen: Sequence[str] = (), printed: str = "") -> Json:
    """Return what is told about a situation."""
    return {"mistake": mistake.name, "values": mistake.values, "seen": seen, "printed": printed}


def _where(error: BaseException, trial: Trial) -> str:
    """Return an exception in one line, and the line of the app where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame.line or "" for frame in frames if frame.filename == trial.app["__file__"]]
    for secret in trial.secrets:
        last = [line.replace(secret, "...") for line in last]
    said = printable(hide_in_text(f"{type(error).__name__}: {error}"), LONGEST_ERROR)
    return said + (f"\nin the line: {last[-1]}" if last else "")


def apart(work: Callable[[], Json], deadline: float) -> Json:
    """Do the work in a process of its own and a new folder; kill it at the deadline (of `time.monotonic`)."""
    folder = tempfile.mkdtemp(prefix="redbooth-nb-trial-")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setsid()  # so that what it starts ends with it
            signal.alarm(LONGEST_ALONE)
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
            os.chdir(folder)
            os.umask(0o022)
            Path("temporary").mkdir()
            os.environ["REDBOOTH_STATE_DIR"], os.environ["TMPDIR"] = f"{folder}/redbooth", f"{folder}/temporary"
            tempfile.tempdir = None  # it is read again
            output = os.open("printed", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            for number in (1, 2):
                os.dup2(output, number)
            os.write(writing, json.dumps(work()).encode())
        os._exit(0)
    os.close(writing)
    said, mistake = b"", "endless"
    try:
        while select.select([reading], [], [], max(deadline - time.monotonic(), 0))[0]:
            chunk = os.read(reading, 65536)
            if not chunk:
                mistake = "ended"
                break
            said += chunk
    finally:
        os.close(reading)
        status = 0 if mistake == "endless" else os.waitpid(child, 0)[1]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)  # what it started, too
        if mistake == "endless":
            os.waitpid(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    if said and mistake == "ended":
        return dict(json.loads(said))
    return report(Mistake("endless" if status in {signal.SIGKILL, signal.SIGXCPU} else mistake))


def _busyness() -> float:
    """Return how many times longer than alone a computation takes here now."""
    start, cpu = time.monotonic(), time.process_time()
    while (used := time.process_time() - cpu) < SHORT:
        pass
    return max(1, (time.monotonic() - start) / used, os.getloadavg()[0] / (os.cpu_count() or 1))


def main() -> None:
    """Answer each job on stdin: a script, and the name of the function in it that is tried out."""
    sitecustomize.start()
    for line in sys.stdin:
        job, reports = json.loads(line), dict[str, Json]()
        for name, situation in SITUATIONS[job["function"]].items():
            reports[name] = apart(partial(take_place, situation, **job), time.monotonic() + LONGEST * _busyness())
            if reports[name]["mistake"] == "endless":
                break
        print(json.dumps(reports), flush=True)


if __name__ == "__main__":
    main()
