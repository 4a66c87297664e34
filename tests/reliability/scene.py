"""An app with a token at a service that counts its token requests: the sandbox or a real Doorkeeper.

All of it runs with pytest and without.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from redbooth_nb.provider import sandbox as sandbox_module
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import press

CLIENT_ID, CLIENT_SECRET = "c1" * 32, "5e" * 32
CALLBACK = "http://127.0.0.1:8765/callback"  # nobody listens: the kit reads the address itself
ROTATIONS = ("at once", "on first use")
LIFETIME = 7200
StartDoorkeeper = Callable[..., Doorkeeper]


@dataclass
class Scene:
    """One app with one token. `answered` holds when the token endpoint answered, by the machine's own clock."""

    name: str
    rotation: str
    settings: Settings
    age: Callable[[], object]
    token_requests: Callable[[], int]
    answered: list[float] = field(default_factory=list)

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
        self.store.save(Token.from_answer(content, content["obtained_at"]))

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
    """Serve a sandbox in this process; other processes reach it as a stand-in."""
    with machine() as folder, pytest.MonkeyPatch.context() as patch:
        paths: list[str] = []
        answered: list[float] = []
        turn = threading.Lock()
        create_app = sandbox_module.create_app

        def counting(file: sandbox_module.Database) -> object:
            app = create_app(file)

            @app.after_request
            def note(response: object) -> object:
                if sandbox_request_path().startswith("/oauth2/token"):
                    with turn:
                        paths.append("token")
                        answered.append(time.monotonic())
                return response

            return app

        patch.setattr(sandbox_module, "create_app", counting)
        sandbox = Sandbox(folder / "service" / "sandbox.sqlite3", 0)
        sandbox.switch(refresh_revokes_old=rotation)
        sandbox.seed_application("App", CALLBACK, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        sandbox.start()
        patch.setenv("REDBOOTH_PROVIDER", sandbox.start())

        def age() -> None:
            sandbox._database.transact(lambda at: at.run("UPDATE tokens SET created_at = created_at - ?", LIFETIME + 1))

        try:
            settings = save_credentials(CLIENT_ID, CLIENT_SECRET, CALLBACK)
            scene = Scene("sandbox", rotation, settings, age, lambda: len(paths), answered)
            scene.authorize()
            yield scene
        finally:
            sandbox.stop()


def sandbox_request_path() -> str:
    """Return the path of the request that the sandbox is answering."""
    from flask import request  # noqa: PLC0415  (means something only while it answers)

    return request.path


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
