"""The reliability of the kit, measured at full size: `uv run python tests/reliability/long.py`.

Prints a table and exits with 1 when anything in it is not as promised. Name parts to run only those; `--scale 0.1`
makes everything ten times smaller. `uv run pytest tests/reliability` runs the same code at a size for every day.
"""

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from client.machine import unused_port
from doorkeeper.engine import Doorkeeper
from reliability import callbacks, crashes, network, refreshing, serving
from reliability.scene import CLIENT_ID, CLIENT_SECRET, ROTATIONS, StartDoorkeeper, machine, sandbox_scene, scene

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.register import save_credentials
from redbooth_nb.provider.sandbox import Sandbox

Line = tuple[str, str, str, list[str]]  # what, size, result, what is wrong


class Sizes:
    """How large each part is, at a scale."""

    def __init__(self, scale: float) -> None:
        def size(full: int, least: int = 1) -> int:
            return max(least, round(full * scale))

        self.threads, self.processes, self.rounds = size(1000, 2), size(64, 2), size(4, 2)
        self.step = max(1, round(1 / scale / 4)) if scale < 1 else 1  # of the lines to die at
        self.kills, self.windows = size(300, 5), size(100, 5)  # for each rotation
        self.urls, self.raw, self.cycles = size(100_000), size(10_000), size(100, 2)
        self.flows, self.server_kills = size(200, 2), size(30)


def refresh(sizes: Sizes, start: StartDoorkeeper) -> Iterator[Line]:
    """One expired token, many who meet it."""
    with refreshing.workers(sizes.processes) as workers:
        for service in ("sandbox", "Doorkeeper"):
            if service == "Doorkeeper" and Doorkeeper.missing():
                yield f"refresh, {service}", "-", f"not run: {Doorkeeper.missing()}", []
                continue
            for rotation in ROTATIONS:
                with scene(service, rotation, start) as one:
                    outcomes = {
                        "threads": refreshing.threads(one, sizes.threads, sizes.rounds),
                        "processes": refreshing.processes(one, workers, sizes.rounds),
                    }
                for kind, found in outcomes.items():
                    requests, answers = sum(found.token_requests), found.rounds * found.callers
                    wrong = [] if found.good else [f"requests per round: {found.token_requests}", *found.failures]
                    size = f"{found.callers:,} {kind}, {found.rounds} rounds"
                    told = f"{requests} token requests, {answers - len(found.failures):,} of {answers:,} calls answered"
                    yield f"refresh, {service}, rotation {rotation}", size, told, wrong


def crash(sizes: Sizes, _: StartDoorkeeper) -> Iterator[Line]:
    """SIGKILL at every line after the answer, and at random."""
    with crashes.helper() as forks:
        for rotation in ROTATIONS:
            with sandbox_scene(rotation) as one:
                window = sorted(crashes.lossy_window(one, forks, sizes.windows))
                matrix = crashes.at_every_line(one, forks, sizes.step)
                chance = crashes.at_random(one, forks, sizes.kills)
            told = f"{matrix.kept} kept, {matrix.lost} lost, each named and mended"
            yield f"crash, rotation {rotation}", f"{matrix.kills} of {matrix.points} lines", told, matrix.wrong
            told = f"{chance.kept} kept, {chance.lost} lost, each named and mended"
            yield f"crash, rotation {rotation}", f"{chance.kills} random kills", told, chance.wrong
            if rotation == "at once":
                middle, late = statistics.median(window) * 1000, window[int(len(window) * 0.95)] * 1000
                told = f"median {middle:.0f} ms, 95 % within {late:.0f} ms"
                yield "from the service's answer to the save", f"{len(window)} refreshes", told, []


def faults(_: Sizes, __: StartDoorkeeper) -> Iterator[Line]:
    """Faults of the network."""
    with machine():
        found = network.every_fault()
    told = f"{found.met - len(found.wrong)} named, no token lost, no request sent twice"
    yield "network faults", f"{found.met // len(network.LEGS)} faults on 2 legs", told, found.wrong


def callback(sizes: Sizes, _: StartDoorkeeper) -> Iterator[Line]:
    """Whatever knocks at the listener."""
    with machine():
        os.environ["REDBOOTH_PROVIDER"] = "live"  # nothing is sent there
        try:
            uri = f"http://127.0.0.1:{unused_port()}/callback"
            settings = save_credentials(CLIENT_ID, CLIENT_SECRET, uri)
            listener = SignIn(AuthorizationRequest.new(settings))
            urls, raw = callbacks.urls(listener, sizes.urls), callbacks.raw(listener, sizes.raw)
            after = callbacks.still_waits(listener)
            left = callbacks.cycles(SignIn, AuthorizationRequest.new(settings), sizes.cycles)
        finally:
            del os.environ["REDBOOTH_PROVIDER"]
    told = "the kit's own errors only, nothing reflected"
    yield "callback URLs", f"{sizes.urls:,}", told, urls.wrong
    told = "alive, the right answer still taken, nothing reflected"
    yield "raw bytes at the listener", f"{sizes.raw:,}", told, raw.wrong + after
    yield (
        "listeners started and stopped",
        f"{sizes.cycles}",
        f"left behind: {left or 'nothing'}",
        [left] if left else [],
    )


def sandbox(sizes: Sizes, _: StartDoorkeeper) -> Iterator[Line]:
    """Put the sandbox under load, and kill it."""
    with machine() as folder:
        running = Sandbox(folder / "load" / "sandbox.sqlite3", 0)
        running.start()
        try:
            load = serving.concurrent_flows(running, sizes.flows)
        finally:
            running.stop()
        killed = serving.killed_while_writing(folder / "kill" / "sandbox.sqlite3", sizes.server_kills)
    yield "sandbox, flows at once", f"{load.flows}", f"{load.answered} tokens given, all in the file", load.wrong
    told = f"{killed.answered:,} answered writes, all in the file"
    yield "sandbox, killed while writing", f"{killed.flows} kills", told, killed.wrong


PARTS: dict[str, Callable[[Sizes, StartDoorkeeper], Iterator[Line]]] = {
    "refresh": refresh, "crash": crash, "faults": faults, "callback": callback, "sandbox": sandbox,
}  # fmt: skip


def main() -> int:
    """Run the parts that were asked for, and print a line for each figure as soon as it is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"which to run: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is full size (default)")
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown or asked.scale <= 0:
        parser.error(f"there is no part {', '.join(sorted(unknown))}" if unknown else "the scale must be above 0")
    wrong = 0
    with ExitStack() as running:

        @cache
        def start(**settings: object) -> Doorkeeper:
            return running.enter_context(Doorkeeper(**settings))  # type: ignore[arg-type]

        for name in asked.parts or PARTS:
            began = time.monotonic()
            for what, size, result, problems in PARTS[name](Sizes(asked.scale), start):
                say(f"| {what} | {size} | {result if not problems else 'WRONG'} |")
                for problem, count in Counter(problems).most_common(5):
                    say(f"    {count} x {problem}")
                wrong += len(problems)
            say(f"    ({name}: {time.monotonic() - began:.0f} s)")
    return 1 if wrong else 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
