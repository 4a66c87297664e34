"""Many threads and processes meet one expired token: one refresh, and everybody is answered (R23, R24)."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reliability.scene import Scene

from redbooth_nb.client.refresh import RedboothSession

WORKER = """
import json, os, sys
from redbooth_nb.client.refresh import RedboothSession
print("ready", flush=True)
session = None
for line in sys.stdin:
    told = json.loads(line)
    if told["environment"]:
        os.environ.update(told["environment"])
        session = RedboothSession()
        print("set", flush=True)
        continue
    try:
        print(session.get("/me").status_code, flush=True)
    except Exception as error:
        print(str(error).splitlines()[0], flush=True)
"""


@dataclass(frozen=True)
class Outcome:
    """What happened in some rounds: requests to the token endpoint in each, and every answer but 200."""

    rounds: int
    callers: int
    token_requests: list[int]
    failures: list[str]

    @property
    def good(self) -> bool:
        """Whether there was one request a round and everybody succeeded."""
        return self.token_requests == [1] * self.rounds and not self.failures


def threads(scene: Scene, number: int, rounds: int) -> Outcome:
    """Let so many threads, with a session each, meet the expired token at the same moment."""
    made, failures = [], []
    for turn in range(rounds):
        before, old = scene.token_requests(), scene.load()
        scene.expire(seen_by_the_client=turn % 2 == 0)
        barrier = threading.Barrier(number)
        statuses: list[str] = []

        def call(barrier: threading.Barrier = barrier, statuses: list[str] = statuses) -> None:
            session = RedboothSession(scene.settings)
            barrier.wait()
            try:
                statuses.append(str(session.get("/me").status_code))
            except Exception as error:  # noqa: BLE001  (it is what the test is about)
                statuses.append(str(error).splitlines()[0])

        callers = [threading.Thread(target=call) for _ in range(number)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        made.append(scene.token_requests() - before)
        failures += [status for status in statuses if status != "200"]
        failures += [] if scene.load().access_token != old.access_token else ["the token is the old one"]
        failures += [] if len(statuses) == number else ["somebody got no answer"]
    return Outcome(rounds, number, made, failures)


class Workers:
    """Processes that wait to be told to call the API."""

    def __init__(self, number: int) -> None:
        self._processes = [
            subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
            for _ in range(number)
        ]

    def ready(self) -> None:
        """Wait until all have started."""
        assert self._answers() == ["ready"] * len(self._processes)

    def tell(self, environment: dict[str, str] | None = None) -> list[str]:
        """Tell all of them at once, and return what each says."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"environment": environment}) + "\n")
            process.stdin.flush()
        return self._answers()

    def _answers(self) -> list[str]:
        return [process.stdout.readline().strip() for process in self._processes if process.stdout is not None]

    def end(self) -> None:
        """Let all of them end."""
        for process in self._processes:
            process.communicate()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._processes)


@contextmanager
def workers(number: int) -> Iterator[Workers]:
    """Start so many processes; they serve any number of scenes."""
    made = Workers(number)
    try:
        made.ready()
        yield made
    finally:
        made.end()


def processes(scene: Scene, callers: Workers, rounds: int) -> Outcome:
    """Let every process meet the expired token at the same moment, each with its own session on the one store."""
    names = ("REDBOOTH_PROVIDER", "REDBOOTH_STATE_DIR", "HOME")
    assert set(callers.tell({name: os.environ[name] for name in names})) == {"set"}
    made, failures = [], []
    for turn in range(rounds):
        before, old = scene.token_requests(), scene.load()
        scene.expire(seen_by_the_client=turn % 2 == 0)
        failures += [answer for answer in callers.tell() if answer != "200"]
        made.append(scene.token_requests() - before)
        failures += [] if scene.load().access_token != old.access_token else ["the token is the old one"]
    return Outcome(rounds, len(callers), made, failures)
