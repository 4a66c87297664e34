"""`redbooth-nb doctor`: one line for each thing that can be broken, with its remedy."""

import os
import platform
import re
import socket
import stat
import time
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import urlsplit

import requests
from packaging.requirements import Requirement

from redbooth_nb.client.callback import holder
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings, credentials_file
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.wire import TIMEOUT
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.working_copies import FOLDER, REPOSITORY

OK, NOTE, BROKEN = "ok", "note", "broken"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SANDBOX_PORT = 8764


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    level: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.level:<8}{self.what}" + (f" What to do: {self.remedy}" if self.remedy else "")


def doctor(_: list[str]) -> int:
    """Print every finding; return 1 when something is broken, else 0."""
    findings = [finding for look in LOOKS for finding in _looked(look)]
    for finding in findings:
        print(finding)  # noqa: T201  (a command prints)
    broken = sum(finding.level == BROKEN for finding in findings)
    print(f"\n{broken} broken." if broken else "\nAll is well.")  # noqa: T201
    return 1 if broken else 0


def _looked(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except RedboothError as error:
        return [Finding(BROKEN, " ".join(f"{error.what} {error.why}".split()), error.remedy)]


def installation() -> Iterator[Finding]:
    """Look at Python and at every package the kit needs, against the tested ranges."""
    yield Finding(OK, f"Python {platform.python_version()} on {platform.system()}")
    wrong = []
    for text in requires("redbooth-nb") or []:
        needed = Requirement(text)
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            found = "missing"
        if found == "missing" or not needed.specifier.contains(found, prereleases=True):
            wrong.append(f"{needed.name} is {found}, tested is {needed.specifier}")
    if wrong:
        yield Finding(BROKEN, f"Packages: {'; '.join(wrong)}.", "Set the environment up again: uv sync")
    else:
        yield Finding(OK, f"Packages: redbooth-nb {version('redbooth-nb')} and all it needs, in the tested ranges")


def settings_file() -> Iterator[Finding]:
    """Look at `.env` and at the settings in it and in the environment."""
    configuration = Configuration.read()
    file = configuration.env_file
    if not file.exists():
        yield Finding(OK, f"Settings: no {file}, so the lessons run on the sandbox")
    elif os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding(NOTE, f"Settings: {file} can be read by others.", f"chmod 600 {file}")
    else:
        yield Finding(OK, f"Settings: {file}")
    if "OAUTHLIB_INSECURE_TRANSPORT" in os.environ:
        remedy = "Unset it; the kit does not need it, and even the value 0 switches the protection off."
        yield Finding(BROKEN, "OAUTHLIB_INSECURE_TRANSPORT is set: oauthlib would send secrets unprotected.", remedy)


def provider() -> Iterator[Finding]:
    """Look at who answers, at the credentials, and at the stored token."""
    configuration = Configuration.read()
    who = current_provider(configuration)
    yield Finding(OK, f"{ORIGIN} is answered by {who.label}")
    try:
        settings = Settings.load()
    except NotYet:
        yield Finding(
            NOTE, f"Credentials: none in {credentials_file(configuration, who)} yet.", "Do notebook 01-register."
        )
        return
    yield Finding(OK, f"Credentials: client id {settings.client_id}, from {settings.source}")
    store = TokenStore(settings.folder)
    yield Finding(OK, f"Token: {'stored in ' + str(store.path) if store.load() else 'none yet'}")
    if who.kind == "live":
        try:
            requests.head(ORIGIN, timeout=TIMEOUT)
        except requests.RequestException:
            yield Finding(
                BROKEN, f"{ORIGIN} cannot be reached.", "Check network and proxy, or practise on the sandbox."
            )
        else:
            yield Finding(OK, f"{ORIGIN} can be reached")


def folders() -> Iterator[Finding]:
    """Look whether state and working copies can be written."""
    for name, folder in (("State", Configuration.read().state_dir), ("Working copies", REPOSITORY / FOLDER)):
        place = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if place.is_dir() and os.access(place, os.W_OK):
            yield Finding(OK, f"{name}: {folder}")
        else:
            yield Finding(BROKEN, f"{name}: {folder} cannot be written.", f"Make {place} a folder you may write to.")


def ports() -> Iterator[Finding]:
    """Look whether the ports of the redirect URI and the sandbox are free."""
    try:
        uri = Settings.load().redirect_uri
    except RedboothError:
        uri = DEFAULT_REDIRECT_URI
    callback = urlsplit(uri).port or 80
    if _free(callback):
        yield Finding(OK, f"Port {callback} (redirect URI) is free")
    else:
        who = holder(Configuration.read().state_dir / f"listener-{callback}.json") or "Another program"
        yield Finding(BROKEN, f"Port {callback} (redirect URI): {who} is using it.", "Close it, or paste the address.")
    if not _free(SANDBOX_PORT):
        yield Finding(OK, f"Port {SANDBOX_PORT} (sandbox) is in use; the sandbox takes it where it can, else any other")


def surroundings() -> Iterator[Finding]:
    """Look at the clock, the browser and the proxy settings."""
    newest = max(Path(__file__).stat().st_mtime, (Path(__file__).parent / "cli.py").stat().st_mtime)
    if time.time() < newest:
        yield Finding(
            BROKEN, "Clock: this machine's clock is behind its own files.", "Set the clock; tokens depend on it."
        )
    else:
        yield Finding(OK, "Clock: plausible")
    try:
        webbrowser.get()
    except webbrowser.Error:
        yield Finding(NOTE, "Browser: none is known to Python.", "Open the links that the notebooks show by hand.")
    else:
        yield Finding(OK, "Browser: found")
    chosen = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    if chosen:
        exempt = os.environ.get("NO_PROXY", "") + os.environ.get("no_proxy", "")
        if re.search(r"127\.0\.0\.1|localhost|\*", exempt):
            yield Finding(OK, f"Proxy: {', '.join(chosen)} set, with this machine exempt")
        else:
            remedy = "The kit goes past it to the sandbox; other programs need NO_PROXY=127.0.0.1,localhost"
            yield Finding(NOTE, f"Proxy: {', '.join(chosen)} set, and this machine is not exempt.", remedy)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# ports before provider, which starts the sandbox
LOOKS = (installation, settings_file, folders, ports, provider, surroundings)
