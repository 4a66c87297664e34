"""A running sandbox with one application, and somebody at the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from provider.sandbox.visitor import CALLBACK, Visitor

from redbooth_nb.provider.sandbox import Sandbox


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sandbox.sqlite3"


@pytest.fixture
def sandbox(file: Path) -> Iterator[Sandbox]:
    running = Sandbox(file, 0)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def visitor(sandbox: Sandbox) -> Iterator[Visitor]:
    with requests.Session() as browser:
        yield Visitor(sandbox, sandbox.seed_application("Practice app", CALLBACK), browser)
