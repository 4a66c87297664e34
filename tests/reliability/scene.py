"""An app with a token at a service that counts its token requests: the sandbox or a real Doorkeeper.

All of it runs with pytest and without.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from client.machine import own_machine
from doorkeeper.engine import Doorkeeper

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import press

CLIENT_ID, CLIENT_SECRET = "c1" * 32, "5e" * 32
CALLBACK = "http://127.0.0.1:8765/callback"  # nobody listens: the kit reads the address itself
ROTATIONS = ("at once", "on first use")
LIFETIME = 7200
StartDoorkeeper = Callable[..., Doorkeeper]
# Answers until its stdin ends, and writes down when it answered a token request. A thousand callers keep a connection
# open while one of them, who needs another for its refresh, holds the lock.
SERVER = """
import sys, time
from pathlib import Path
from flask import request
from redbooth_nb.provider import sandbox as module
create_app = module.create_app
def counting(file):
    app = create_app(file)
    @app.after_request
    def note(response):
        if request.path.startswith("/oauth2/token"):
            with open(sys.argv[2], "a") as log:
                log.write(f"{time.monotonic()}\\n")
        return response
    return app
module.create_app = counting
module.SETTINGS["waitress"]["connection_limit"] = 4000
sandbox = module.Sandbox(Path(sys.argv[1]), 0)
print(sandbox.start(), flush=True)
sys.stdin.read()
sandbox.stop()
"""


@dataclass
class Scene:
    """One app with one token. `answered` tells when the token endpoint answered, by the machine's own clock."""

    name: str
    rotation: str
    settings: Settings
    age: Callable[[], object]
    token_requests: Callable[[], int]
    answered: Callable[[], list[float]] = list

    @property
    def store(self) -> TokenStore:
        """Where the token is kept."""
        return TokenStore(self.settings.folder)

    def load(self) -> Token:
        """Return the stored token."""
        token = self.store.load()
        assert token is not None
        return token

    def expire(self, *, seen_by_the_client: bool = True) -> None:
        """Let the token expire at the service; the client knows by its own clock, or learns it from a 401."""
        self.age()
        content = self.load().reveal()
        if seen_by_the_client:
            content["obtained_at"] = self.settings.provider.now() - LIFETIME - 1
        else:
            content["obtained_at"] = self.settings.provider.now()
        self.store.save(Token.from_response(content, content["obtained_at"]))

    def authorize(self) -> Token:
        """Let the user click Allow; return the new token."""
        request = AuthorizationRequest.new(self.settings)
        url = press(connect(requests.Session()), request.url, request.redirect_uri, "allow")
        return exchange(AuthorizationResponse.read(url, request))


@contextmanager
def machine() -> Iterator[Path]:
    """Give the part that runs a machine of its own, with pytest or without."""
    with tempfile.TemporaryDirectory(prefix="redbooth-nb-") as folder, pytest.MonkeyPatch.context() as patch:
        here = Path.cwd()
        try:
            with own_machine(Path(folder), patch):
                yield Path(folder)
        finally:
            os.chdir(here)


@contextmanager
def sandbox_scene(rotation: str) -> Iterator[Scene]:
    """Serve a sandbox in a process of its own, as any service is: callers in this one don't slow it down."""
    with machine() as folder, pytest.MonkeyPatch.context() as patch:
        file, log = folder / "service" / "sandbox.sqlite3", folder / "token-requests"
        log.touch()
        sandbox = Sandbox(file)  # on the same file
        sandbox.switch(refresh_revokes_old=rotation)
        sandbox.seed_application("App", CALLBACK, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        command = [sys.executable, "-c", SERVER, str(file), str(log)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
            assert server.stdin is not None
            assert server.stdout is not None
            patch.setenv("REDBOOTH_PROVIDER", server.stdout.readline().strip())

            def age() -> None:
                older = "UPDATE tokens SET created_at = created_at - ?"
                sandbox._database.transact(lambda at: at.run(older, LIFETIME + 1))

            def answered() -> list[float]:
                return [float(line) for line in log.read_text(encoding="utf-8").splitlines()]

            try:
                settings = save_credentials(CLIENT_ID, CLIENT_SECRET, CALLBACK)
                scene = Scene("sandbox", rotation, settings, age, lambda: len(answered()), answered)
                scene.authorize()
                yield scene
            finally:
                server.stdin.close()  # which ends it
                sandbox.stop()


@contextmanager
def doorkeeper_scene(rotation: str, start: StartDoorkeeper) -> Iterator[Scene]:
    """Use a real Doorkeeper that `start` starts or has started."""
    engine = start(revoke_on_use=rotation == "on first use")
    with machine(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDBOOTH_PROVIDER", engine.base_url)
        settings = save_credentials(engine.client_id, engine.client_secret, engine.redirect_uri)

        def count() -> int:
            return sum(exchange["path"].startswith("/oauth2/token") for exchange in engine.requests())

        scene = Scene("Doorkeeper", rotation, settings, lambda: engine.age_tokens(LIFETIME + 1), count)
        scene.authorize()
        yield scene


@contextmanager
def scene(service: str, rotation: str, start: StartDoorkeeper) -> Iterator[Scene]:
    """Return the scene at "sandbox" or "Doorkeeper"."""
    made = sandbox_scene(rotation) if service == "sandbox" else doorkeeper_scene(rotation, start)
    with made as one:
        yield one
