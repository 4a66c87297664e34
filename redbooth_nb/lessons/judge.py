"""The process in which a learner's functions are tried out: `python -m redbooth_nb.lessons.judge`.

It reads a job per line (JSON), and answers each with a line: a report for every situation. Each situation happens in
a process of its own, with a Redbooth, a folder and an environment of its own, and is killed when it takes too long.
"""

import contextlib
import hashlib
import json
import multiprocessing
import os
import resource
import secrets
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast
from unittest.mock import Mock, patch

import requests

from redbooth_nb.child_processes import sitecustomize
from redbooth_nb.errors import printable, wordings
from redbooth_nb.lessons.situations import files, refresh, sign_in
from redbooth_nb.lessons.trial import Json, Mistake, Trial
from redbooth_nb.provider.adapter import InProcessDelivery
from redbooth_nb.traffic.redaction import hide_in_text

LONGEST = 1.5  # seconds for a situation, on a machine that isn't busy; after one that doesn't end, no other is tried
SHORT = 0.02  # seconds
BUSIER = 1.2  # if the machine is now this many times as busy as before, what took too long gets another chance
LONGEST_ALONE = 20  # seconds; nobody may be left to end it
MOST_CPU = 2  # seconds
TOO_LONG = {signal.SIGKILL, signal.SIGXCPU, signal.SIGALRM}  # what ends a process that takes longer
LARGEST_FILE, MOST_MEMORY = 2**24, 2**31  # bytes
NOW = 4_000_000_000.0  # Unix seconds, everywhere in a situation; a function that asks datetime must not be ahead
LONGEST_ERROR = 500  # characters
LARGEST = 2000  # characters of what a function printed
LONGEST_PART = 12  # characters of a secret; printing fewer, to tell two tokens apart, is all right
TEXTS = wordings(Path(__file__).with_name("exercises.toml"))
Work = Callable[[], Json]


def situations_of(function: str) -> dict[str, Callable[[Trial], None]]:
    """Return the code of each situation of a function: FUNCTION_SITUATION or, for a case, FUNCTION with its values."""
    cases = TEXTS["cases"].get(function, {})
    there = vars(files) | vars(sign_in) | vars(refresh)
    return {
        name: partial(there[function], **cases[name]) if name in cases else there[f"{function}_{name}"]
        for name in TEXTS["functions"].get(function, {"situations": cases})["situations"]
    }


def take_place(situation: Callable[[Trial], None], script: str, function: str) -> Json:
    """Let a situation happen here, in a process of its own, and report the mistake that was made in it, "" for none."""
    # so that what is printed is the same every time
    invented = Mock(side_effect=(hashlib.sha256(b"%d" % number).hexdigest() for number in count()))
    patch.multiple(secrets, token_hex=invented, token_urlsafe=invented).start()
    patch("time.time", lambda: NOW).start()
    trial, mistake = Trial(script, function), Mistake("")
    patch("time.time", lambda: NOW + trial.later).start()
    patch("socket.getaddrinfo", side_effect=Mistake("other_host")).start()  # Redbooth needs no network here
    nobody = Mock(side_effect=Mistake("link_opened"))
    patch.multiple("webbrowser", open=nobody, get=nobody).start()
    patch.object(InProcessDelivery, "send", autospec=True, side_effect=trial.send).start()
    patch.object(requests.Session, "mount", autospec=True, side_effect=trial.mount).start()
    try:
        situation(trial)
    except Mistake as error:
        mistake = error
    except BaseException as error:
        means = TEXTS["errors"]["any"] | TEXTS["errors"].get(function, {})
        name = next((means[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in means), "raised")
        mistake = Mistake(name, name=getattr(error, "name", ""))
        mistake.values["error"] = _where(error, trial)  # `_where` hides the secrets in it
    printed = trial.printed()
    if any(part in printed or part[::-1] in printed for secret in trial.secrets for part in _parts(secret)):
        mistake, printed = Mistake("printed_secret"), ""
    shown = printable(hide_in_text(printed), LARGEST)
    return {"mistake": mistake.name, "values": mistake.values, "seen": [*map(str, trial.seen)], "printed": shown}


def _parts(secret: str) -> list[str]:
    """Return what nobody may print of a secret: any LONGEST_PART characters in a row, or all of a shorter one."""
    return [secret[start : start + LONGEST_PART] for start in range(max(len(secret) - LONGEST_PART, 0) + 1)]


def _where(error: BaseException, trial: Trial) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame.line or "" for frame in frames if frame.filename == trial.app["__file__"]]
    for secret in trial.secrets:
        last = [line.replace(secret, "...") for line in last]
    said = printable(hide_in_text(f"{type(error).__name__}: {error}"), LONGEST_ERROR)
    return said + (f"\nin the line: {last[-1]}" if last else "")


def apart(work: Work, seconds: float) -> Json:
    """Do the work in a process of its own and a new folder; after so many seconds, kill it and what it started."""
    fork = multiprocessing.get_context("fork")
    reading, writing = fork.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="redbooth-nb-trial-", ignore_cleanup_errors=True) as folder:
        child = fork.Process(target=_work_within_limits, args=(work, folder, writing))
        child.start()
        writing.close()
        try:
            return dict(json.loads(reading.recv_bytes())) if reading.poll(seconds) else {"mistake": "endless"}
        except (EOFError, OSError):  # before or within its report
            child.join()
            return {"mistake": "endless" if -(child.exitcode or 0) in TOO_LONG else "ended"}
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(cast(int, child.pid), signal.SIGKILL)
            child.join()
            reading.close()


def _work_within_limits(work: Work, folder: str, writing: Connection) -> None:
    os.setsid()  # so that what it starts ends with it
    signal.alarm(LONGEST_ALONE)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    with contextlib.suppress(OSError, ValueError):  # as on macOS
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    os.chdir(folder)
    os.umask(0o022)
    Path("temporary").mkdir()
    os.environ["REDBOOTH_STATE_DIR"], os.environ["TMPDIR"] = f"{folder}/redbooth", f"{folder}/temporary"
    tempfile.tempdir = None  # it is read again
    output = os.open("printed", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(output, number)
    writing.send_bytes(json.dumps(work()).encode())


def _busyness() -> float:
    """Return how many times longer a computation takes now than it would on an idle machine."""
    start, cpu = time.monotonic(), time.process_time()
    while (used := time.process_time() - cpu) < SHORT:
        pass
    return max(1, (time.monotonic() - start) / used, os.getloadavg()[0] / (os.cpu_count() or 1))


def main() -> None:
    """Answer each job on stdin: a script, and the name of the function in it that is tried out."""
    sitecustomize.start()
    for slow in ("lxml.etree", "redbooth_nb.provider.sandbox"):  # once, and not in every process
        import_module(slow)
    for line in sys.stdin:
        job, reports, longest = json.loads(line), dict[str, Json](), LONGEST * _busyness()
        for name, situation in situations_of(job["function"]).items():
            work = partial(take_place, situation, **job)
            reports[name] = apart(work, longest)
            if reports[name]["mistake"] == "endless" and (now := LONGEST * _busyness()) > BUSIER * longest:
                longest, reports[name] = now, apart(work, now)
            if reports[name]["mistake"] == "endless":
                break
        print(json.dumps(reports), flush=True)


if __name__ == "__main__":
    main()
