"""Fixtures for every test: the providers that they meet."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
import requests
from client.machine import FaultyServer
from doorkeeper.engine import Doorkeeper
from hypothesis import HealthCheck, settings as hypothesis_settings

from redbooth_nb.provider.delivery import EmbeddedSandbox, current_provider
from redbooth_nb.provider.sandbox import Sandbox

# no test fails because a machine is busy
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")


@pytest.fixture(autouse=True)
def no_views_left() -> Iterator[None]:
    """Close what a test showed, and forget it at once, or its timer could start during a later test."""
    yield
    if live := sys.modules.get("redbooth_nb.widgets.live"):
        live.w.Widget.close_all()
        live.update_all()


@pytest.fixture(autouse=True)
def nothing_refused() -> Iterator[None]:
    """After a test that called `ready`, let sessions that are not connected send again."""
    own = requests.Session.get_adapter
    yield
    requests.Session.get_adapter = own  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def doorkeeper() -> Iterator[Callable[..., Doorkeeper]]:
    """Return a function that starts a Doorkeeper with these settings, or returns the one already running with them."""
    missing = Doorkeeper.missing()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    with ExitStack() as running:

        @cache
        def start(**settings: object) -> Doorkeeper:
            return running.enter_context(Doorkeeper(**settings))  # type: ignore[arg-type]

        yield start


@pytest.fixture
def sandbox() -> Sandbox:
    """Return the kit's stand-in for Redbooth, running, as the current provider."""
    provider = current_provider()
    assert isinstance(provider, EmbeddedSandbox)
    return provider.sandbox


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """Serve as a stand-in that answers what a test tells it, and is the current provider."""
    with FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
        yield server


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the real redbooth.com be the provider, and fail the test when anything is sent there."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")

    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("a request was sent")

    monkeypatch.setattr(requests.Session, "send", forbidden)
