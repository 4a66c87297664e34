"""How fast the sandbox answers, as ratios: a sign-in of six requests, against the real Doorkeeper on this machine.

    uv run python tests/benchmarks/flow.py [--rounds 100] [--tokens 1000000]

in process  how many times as fast as Doorkeeper the sandbox is when it is called, as from a notebook
socket      the same when it is asked over its port, as by a browser
full        how many times as long a sign-in takes when so many tokens are stored already

The requests: authorize page, Allow, token, /me, refresh, revoke. All sides take turns, in random order, so that what
else the machine does meets each of them; the medians are compared. Doorkeeper has to be installed: see
tests/doorkeeper/engine.py.
"""

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

sys.path.append(str(Path(__file__).parents[1]))
from doorkeeper.engine import Doorkeeper

from redbooth_nb.provider.delivery import EmbeddedSandbox, Provider, StandIn
from redbooth_nb.provider.sandbox import Sandbox

URL = "https://redbooth.com"
CALLBACK = "http://127.0.0.1:8765/callback"
IDENTITY, SECRET = "c1" * 32, "5e" * 32
FIELD = re.compile(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"')
STORED = """WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < ?)
INSERT INTO tokens (token, refresh_token, previous_refresh_token, application_id, user_id, scopes, expires_in,
created_at, revoked_at) SELECT hex(randomblob(32)), hex(randomblob(32)), '', 1, 101, 'all', 7200, 1, 1 FROM row"""


def flow(provider: Provider) -> Callable[[], float]:
    """Return a function that signs in, uses, refreshes and revokes, and returns how many seconds that took."""
    browser, app = requests.Session(), requests.Session()
    provider.deliver(browser)
    provider.deliver(app)
    client = {"client_id": IDENTITY, "client_secret": SECRET}
    asked = {"client_id": IDENTITY, "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}

    def sign_in() -> float:
        begin = time.perf_counter()
        page = browser.get(f"{URL}/oauth2/authorize", params=asked)
        form = next(part for part in page.text.split("<form")[1:] if 'name="state"' in part and '"delete"' not in part)
        fields = {name: unescape(value) for name, value in FIELD.findall(form)}
        answer = browser.post(urljoin(page.url, "/oauth2/authorize"), fields, allow_redirects=False)
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        pair = app.post(f"{URL}/oauth2/token", client | grant).json()
        me = app.get(f"{URL}/api/3/me", headers={"Authorization": f"Bearer {pair['access_token']}"})
        grant = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
        pair = app.post(f"{URL}/oauth2/token", client | grant).json()
        revoked = app.post(f"{URL}/oauth2/revoke", client | {"token": pair["access_token"]})
        took = time.perf_counter() - begin
        assert me.ok
        assert revoked.ok
        return took

    return sign_in


def stored(sandbox: Sandbox, number: int) -> Sandbox:
    """Register the app, and store so many revoked tokens of the app and person that sign in."""
    sandbox.seed_application("App", CALLBACK, client_id=IDENTITY, client_secret=SECRET)
    sandbox._database.transact(lambda tx: tx.run(STORED if number else "SELECT ?", number))
    return sandbox


def main() -> None:
    """Measure all sides, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="sign-ins on each side (default: 100)")
    parser.add_argument("--tokens", type=int, default=1_000_000, help="stored for `full` (default: 1000000)")
    chosen = parser.parse_args()
    with ExitStack() as running:
        engine = running.enter_context(Doorkeeper(client_id=IDENTITY, client_secret=SECRET))
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        empty, full = (EmbeddedSandbox(folder / f"{name}.sqlite3") for name in ("empty", "full"))
        for sandbox, number in ((empty.sandbox, 0), (full.sandbox, chosen.tokens)):
            running.callback(stored(sandbox, number).stop)
        sides = [flow(provider) for provider in (StandIn(engine.base_url), empty, StandIn(empty.link()), full)]
        taken: list[list[float]] = [[] for _ in sides]
        for _ in range(chosen.rounds):
            for number in random.sample(range(len(sides)), len(sides)):
                sides[number]()  # only warms up: a process keeps the connection to one file
                taken[number].append(sides[number]() * 1000)
        doorkeeper, called, socket, much = map(statistics.median, taken)
    line = "{:<10}  {:.1f} ms / {:.1f} ms = {:.1f}  (target: {})"
    print(line.format("in process", doorkeeper, called, doorkeeper / called, "at least 5"))  # noqa: T201
    print(line.format("socket", doorkeeper, socket, doorkeeper / socket, "at least 2.5"))  # noqa: T201
    print(line.format("full", much, called, much / called, "at most 1.2"))  # noqa: T201


if __name__ == "__main__":
    main()
