"""A real JupyterLab and a real Chromium, for the tests, the pictures and the benchmark; nothing leaves this machine."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Route, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
NO_CHROMIUM = "Chromium is not installed. On Debian: apt-get install -y chromium"
FLAGS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
START = (
    "import pathlib, sys\n"
    "from redbooth_nb import cli, working_copies\n"
    "working_copies.REPOSITORY = pathlib.Path(sys.argv[1])\n"
    "sys.exit(cli.main(sys.argv[2:]))"
)


@dataclass(frozen=True)
class Lab:
    """JupyterLab, running. link: as it is printed. state: the kit's state folder. notebooks: the working copies."""

    link: str
    state: Path
    notebooks: Path

    def address(self, notebook: str, tree: str = "/lab/tree/") -> str:
        """Return the address of a notebook; tree: "/notebooks/" for Notebook 7."""
        return re.sub(r"/lab/tree/[^?]*", f"{tree}{notebook}.ipynb", self.link)


@contextmanager
def jupyterlab(folder: Path, *options: str) -> Iterator[Lab]:
    """Start JupyterLab as `redbooth-nb` does, on a copy of the lessons and an empty state, both in `folder`.

    options: JupyterLab's own.
    """
    repository, state = folder / "repository", folder / "state"
    state.mkdir()
    shutil.copytree(ROOT / "notebooks", repository / "notebooks")
    shutil.copy(ROOT / ".env.example", repository)
    own = {
        name: str(state / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    environment = {**os.environ, **own, "REDBOOTH_STATE_DIR": str(state)}
    environment.pop("PYTHONPATH", None)
    process = subprocess.Popen(  # noqa: S603  (our own command)
        [sys.executable, "-c", START, str(repository), "--no-browser", "--port", "0",
         "--IdentityProvider.token=tour", "--expose-app-in-browser", *options],  # to expose: for themes.choose_theme
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
        raise RuntimeError("JupyterLab did not start:\n" + "".join(printed))
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    try:
        yield Lab(found[0].replace("token=...", "token=tour"), state, repository / "my-notebooks")
    finally:
        process.terminate()
        process.wait(30)
        drain.join(10)
        process.stderr.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@contextmanager
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """Give the browser an empty profile. A request to another machine fails when it ends."""
    strangers: list[str] = []

    def only_here(route: Route) -> None:
        if re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:", route.request.url):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.route("**/*", only_here)
    yield context
    context.close()
    assert strangers == []


@contextmanager
def lab_and_browser() -> Iterator[tuple[Lab, BrowserContext]]:
    """For a script: start JupyterLab in a folder that goes with it, and a browser."""
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyterlab(Path(folder)) as lab,
        chromium() as browser,
        profile(browser) as context,
    ):
        yield lab, context
