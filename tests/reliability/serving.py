"""The sandbox under load and under the axe: no error, no lost write, no answered request lost."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests
from provider.sandbox.visitor import CALLBACK, Visitor
from reliability.scene import CLIENT_ID, CLIENT_SECRET

from redbooth_nb.provider.sandbox import Sandbox


@dataclass
class Served:
    """What clients were answered, and what was wrong."""

    flows: int = 0
    answered: int = 0
    wrong: list[str] = field(default_factory=list)


def flow(visitor: Visitor) -> list[str]:
    """Sign in, exchange, call, refresh and call again; return the access tokens that were given."""
    first = visitor.exchange(visitor.code()).json()
    assert visitor.me(first["access_token"]).status_code == 200
    second = visitor.refresh(first["refresh_token"]).json()
    assert visitor.me(second["access_token"]).status_code == 200
    return [first["access_token"], second["access_token"]]


def concurrent_flows(sandbox: Sandbox, number: int) -> Served:
    """Let so many people go the whole way at once, each with an app and a browser that keeps its connection."""
    served, turn, barrier = Served(), threading.Lock(), threading.Barrier(number)
    given: list[str] = []
    apps = [sandbox.seed_application(f"App {count}", CALLBACK) for count in range(number)]

    def go(app: dict[str, str]) -> None:
        visitor = Visitor(sandbox, app)
        barrier.wait()
        try:
            tokens = flow(visitor)
        except Exception as error:  # noqa: BLE001  (it is what is looked for)
            served.wrong.append(repr(error)[:200])
        else:
            with turn:
                given.extend(tokens)
        visitors.append(visitor)  # its connection stays open until all are done

    visitors: list[Visitor] = []
    people = [threading.Thread(target=go, args=[app]) for app in apps]
    for person in people:
        person.start()
    for person in people:
        person.join()
    for visitor in visitors:
        visitor.browser.close()
    kept = sandbox._database.transact(lambda at: {row["token"] for row in at.run("SELECT token FROM tokens")})
    served.flows, served.answered = number, len(given)
    served.wrong += [] if set(given) == kept and len(given) == 2 * number else ["the file and the answers differ"]
    return served


COMMAND = [sys.executable, "-m", "redbooth_nb", "sandbox", "--port", "0"]
COMMAND += ["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET, "--state"]


@contextmanager
def alone(file: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the sandbox as a process of its own; yields it and its address."""
    with subprocess.Popen([*COMMAND, str(file)], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["base_url"]
        finally:
            process.kill()


@dataclass
class Remote:
    """A sandbox in another process, for a Visitor."""

    base_url: str

    def start(self) -> str:
        return self.base_url


def killed_while_writing(file: Path, kills: int, clients: int = 4, seed: int = 1) -> Served:
    """Kill the sandbox with SIGKILL while clients write; what was answered must be in the file."""
    chance, served = random.Random(seed), Served()  # noqa: S311
    for _ in range(kills):
        answered, before_it = one_kill(file, clients, chance.randrange(1, 60))
        served.flows += 1
        served.answered += len(answered)
        served.wrong += [] if before_it else ["no client was answered"]
        served.wrong += missing(file, answered)
    return served


def one_kill(file: Path, clients: int, after: int) -> tuple[list[tuple[str, str]], bool]:
    """Kill the sandbox `after` so many answers; return them: each new access token, and the one it replaced."""
    answered: list[tuple[str, str]] = []
    enough = threading.Event()

    def write(url: str) -> None:
        app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        with suppress(requests.RequestException, KeyError, ValueError):
            visitor = Visitor(Remote(url), app)  # type: ignore[arg-type]
            token = visitor.exchange(visitor.code()).json()
            answered.append((token["access_token"], ""))
            while True:
                used, token = token, visitor.refresh(token["refresh_token"]).json()
                answered.append((token["access_token"], used["access_token"]))
                if len(answered) >= after:
                    enough.set()

    with alone(file) as (process, url):
        writers = [threading.Thread(target=write, args=[url]) for _ in range(clients)]
        for writer in writers:
            writer.start()
        in_time = enough.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for writer in writers:
            writer.join()
    return answered, in_time


def missing(file: Path, answered: list[tuple[str, str]]) -> list[str]:
    """Say what was answered and is not in the file, after the sandbox has opened it again."""
    Sandbox(file)
    with closing(sqlite3.connect(file)) as connection:
        (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
        rows = dict(connection.execute("SELECT token, revoked_at FROM tokens"))
    wrong = [] if whole == "ok" else [whole]
    wrong += [f"token {number} is lost" for number, (token, _) in enumerate(answered) if token not in rows]
    wrong += [
        f"token {number} still counts" for number, (_, used) in enumerate(answered) if used and not rows.get(used)
    ]
    return wrong
