"""Fixtures for the browser tests."""

import os
from collections.abc import Iterator

import pytest
from browser.lab import CHROMIUM, NO_CHROMIUM, Lab, chromium, jupyterlab, profile
from browser.notebook import Notebook
from playwright.sync_api import Browser, BrowserContext, expect

expect.set_options(timeout=30_000)  # a busy machine is slow, and no test here is about speed


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return JupyterLab, running; the tests of a module share it."""
    with jupyterlab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def running_browser() -> Iterator[Browser]:
    """Return Chromium, running; all tests share it."""
    if not CHROMIUM:
        pytest.fail(NO_CHROMIUM) if os.environ.get("CI") else pytest.skip(NO_CHROMIUM)
    with chromium() as running:
        yield running


@pytest.fixture
def browser(running_browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser that knows nothing yet. A request to another machine fails the test."""
    with profile(running_browser) as context:
        yield context


@pytest.fixture(scope="module")
def desk(lab: Lab, running_browser: Browser) -> Iterator[Notebook]:
    """Return a notebook that the tests of a module write into, one after the other."""
    with profile(running_browser) as context:
        notebook = Notebook(context.new_page())
        notebook.open(lab, "00-start-here")
        notebook.page.keyboard.press("Control+b")  # fold the file list away
        yield notebook


@pytest.fixture
def notebook(browser: BrowserContext) -> Notebook:
    """Return a browser page for notebooks."""
    return Notebook(browser.new_page())
