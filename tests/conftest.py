"""Fixtures for every test: a real Doorkeeper, started once for each way of setting it up."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from doorkeeper.engine import Doorkeeper


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
