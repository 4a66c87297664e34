"""A real JupyterLab and a real Chromium for the browser tests; nothing leaves this machine."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.notebook import Notebook
from playwright.sync_api import BrowserContext, Route, expect, sync_playwright

expect.set_options(timeout=30_000)  # a busy machine is slow, and no test here is about speed
ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
FLAGS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
START = (
    "import pathlib, sys, redbooth_nb.cli as cli\n"
    "cli.REPOSITORY = pathlib.Path(sys.argv[1])\n"
    "sys.exit(cli.main(sys.argv[2:]))"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab as `redbooth-nb` starts it, on a copy of the lessons and an empty state; the printed link."""
    repository = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "notebooks", repository / "notebooks")
    shutil.copy(ROOT / ".env.example", repository)
    state = tmp_path_factory.mktemp("state")
    own = {
        name: str(state / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    environment = {**os.environ, **own, "REDBOOTH_STATE_DIR": str(state)}
    environment.pop("PYTHONPATH", None)
    process = subprocess.Popen(  # noqa: S603  (our own command)
        [sys.executable, "-c", START, str(repository), "--no-browser", "--port", "0", "--IdentityProvider.token=tour"],
        env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    printed = []
    for line in process.stderr:
        printed.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+\S+", line)
        if found:
            break
    else:
        pytest.fail("JupyterLab did not start:\n" + "".join(printed))
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    yield found[0].replace("token=...", "token=tour")
    process.terminate()
    process.wait(30)
    drain.join(10)
    process.stderr.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[BrowserContext]:
    """Chromium with an empty profile. A request to another machine fails the test."""
    if not CHROMIUM:
        remedy = "Chromium is not installed. On Debian: apt-get install -y chromium"
        pytest.fail(remedy) if os.environ.get("CI") else pytest.skip(remedy)
    strangers: list[str] = []

    def only_here(route: Route) -> None:
        if re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:", route.request.url):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1280, "height": 1000}
        )
        context.route("**/*", only_here)
        yield context
        context.close()
    assert strangers == []


@pytest.fixture
def notebook(browser: BrowserContext) -> Notebook:
    """Return a browser page for notebooks."""
    return Notebook(browser.pages[0] if browser.pages else browser.new_page())
