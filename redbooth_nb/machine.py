"""What `redbooth-nb doctor` checks of this machine: installation, folders, ports, clock, browser and proxies."""

import errno
import platform
import socket
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distributions, requires, version
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from packaging.requirements import Requirement

from redbooth_nb.client.loopback import holder
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings
from redbooth_nb.configuration import Configuration, make_private
from redbooth_nb.errors import RedboothError
from redbooth_nb.working_copies import FOLDER, REPOSITORY, has_lessons

OK, NOTE, BROKEN = "ok", "note", "broken"
SANDBOX_PORT = 8764


class Finding(NamedTuple):
    """What was checked, how it is, and what to do about it."""

    level: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.level:<8}{self.what}" + (f" What to do: {self.remedy}" if self.remedy else "")


def either(good: str, problem: str, remedy: str) -> Finding:
    """Return the good finding, or where there is a problem, that and its remedy."""
    return Finding(BROKEN, problem, remedy) if problem else Finding(OK, good)


def installation() -> Iterator[Finding]:
    """Check Python and every package the kit needs, against the tested ranges."""
    yield Finding(OK, f"Python {platform.python_version()} on {platform.system()}")
    wrong = ""
    for needed in map(Requirement, requires("redbooth-nb") or []):
        found = next((installed.version for installed in distributions(name=needed.name)), "missing")
        if found == "missing" or not needed.specifier.contains(found, prereleases=True):
            wrong += f"{', ' if wrong else ''}{needed.name} is {found}, tested is {needed.specifier}"
    again = "uv sync --no-dev" if has_lessons() else "pip install --force-reinstall, with the wheel"
    good = f"Packages: redbooth-nb {version('redbooth-nb')} and all it needs, in the tested ranges"
    yield either(good, wrong and f"Packages: {wrong}.", f"Set the environment up again: {again}")


def folders() -> Iterator[Finding]:
    """Check that state and working copies can be written, by writing a file that is gone at once."""
    state = Configuration.read().state_dir
    yield writable("State", state, "set REDBOOTH_STATE_DIR to another folder")
    if has_lessons():
        copies = REPOSITORY / FOLDER  # made by the first start, not here
        place = copies if copies.exists() else REPOSITORY
        yield writable("Working copies", place, "clone the repository to another place")
    else:
        yield Finding(OK, "Lessons: none here, they come with the repository; run, doctor and sandbox work without")


def writable(name: str, folder: Path, otherwise: str) -> Finding:
    """Check that a folder can be written, by writing; `otherwise` ends the remedy."""
    try:
        make_private(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        remedy = "Free some space on that disk" if full else "Make it a folder that you may write to"
        return Finding(BROKEN, f"{name}: {folder} cannot be written ({error.strerror}).", f"{remedy}, or {otherwise}.")
    return Finding(OK, f"{name}: {folder}")


def ports() -> Iterator[Finding]:
    """Check that the ports of the redirect URI and the sandbox are free."""
    sandbox_is_free = _free(SANDBOX_PORT)  # before the credentials are read, which starts the sandbox
    try:
        uri = Settings.load().redirect_uri
    except RedboothError:
        uri = DEFAULT_REDIRECT_URI
    port = urlsplit(uri).port or 80
    problem = "" if _free(port) else f"Port {port} (redirect URI): {user_of(port)} is using it."
    yield either(f"Port {port} (redirect URI) is free", problem, "Close it, or paste the address.")
    if not sandbox_is_free:
        yield Finding(OK, f"Port {SANDBOX_PORT} (sandbox) is in use; the sandbox will use another one")


def user_of(port: int) -> str:
    """Say who uses the port of a redirect URI: the notebook's name where it is one of the kit's."""
    return holder(Configuration.read().state_dir / f"listener-{port}.json") or "Another program"


def _free(port: int) -> bool:
    with suppress(OSError):
        socket.create_server(("127.0.0.1", port)).close()
        return True
    return False


def surroundings() -> Iterator[Finding]:
    """Check the clock, the browser and the proxy settings."""
    behind = time.time() < Path(__file__).stat().st_mtime
    problem = "Clock: this machine's clock is behind its own files." if behind else ""
    yield either("Clock: plausible", problem, "Set the clock; tokens depend on it.")
    try:
        webbrowser.get()
    except webbrowser.Error:
        yield Finding(NOTE, "Browser: none is known to Python.", "Open the links that the notebooks show by hand.")
    else:
        yield Finding(OK, "Browser: found")
    chosen = ", ".join(sorted(getproxies().keys() - {"no"}))
    exempt = proxy_bypass("127.0.0.1")
    remedy = "The kit goes past it to the sandbox; other programs need NO_PROXY=127.0.0.1,localhost"
    if chosen:
        where = f"Proxy: set for {chosen}, and this machine is {'exempt' if exempt else 'not exempt.'}"
        yield Finding(OK if exempt else NOTE, where, "" if exempt else remedy)
