"""Fixtures for lessons and widgets: a machine of its own, the sandbox on it, an app, and somebody who decides."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from client.machine import own_machine, unused_port

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.wire import connect
from redbooth_nb.lessons import learner, predict, try_out
from redbooth_nb.lessons.source import SOLUTION, functions
from redbooth_nb.lessons.take_home import TakeHomeApp
from redbooth_nb.lessons.try_out import EXERCISES
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import press

CLIENT_ID, SECRET = "c1" * 32, "canary-client-secret-90d3"
DECIDE = Callable[..., AuthorizationResponse]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own, on which no hint was given and no widget shown yet."""
    monkeypatch.setattr(learner, "_asked", Counter())
    monkeypatch.setattr(try_out, "_tried", set())
    monkeypatch.setattr(predict, "_given", {})
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def unattended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody sit at the browser."""
    monkeypatch.setenv("REDBOOTH_UNATTENDED", "1")


@pytest.fixture
def app(sandbox: Sandbox) -> Settings:
    """Return an app registered at the sandbox, with a redirect URI that is free."""
    redirect_uri = f"http://127.0.0.1:{unused_port()}/callback"
    sandbox.seed_application("Practice app", redirect_uri, client_id=CLIENT_ID, client_secret=SECRET)
    return save_credentials(CLIENT_ID, SECRET, redirect_uri)


def write_own(*stages: str) -> None:
    """Let the learner have written the functions of these stages, word for word as the kit has them."""
    for name, exercise in EXERCISES.items():
        if exercise["stage"] in stages:
            TakeHomeApp().keep(name, functions(SOLUTION)[name])


@pytest.fixture
def callback_of() -> Callable[..., str]:
    """Let the user press Allow, or what `answer` says; returns the address the browser is sent to."""

    def callback_of(request: AuthorizationRequest, answer: str = "allow") -> str:
        return press(connect(requests.Session()), request.url, request.redirect_uri, answer)

    return callback_of


@pytest.fixture
def decide(callback_of: Callable[..., str]) -> DECIDE:
    """Let the user decide, and hand the answer to the app."""

    def decide(settings: Settings, answer: str = "allow", **options: Any) -> AuthorizationResponse:  # noqa: ANN401
        request = AuthorizationRequest.new(settings, **options)
        return AuthorizationResponse.read(callback_of(request, answer), request)

    return decide
