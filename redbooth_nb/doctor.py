"""`redbooth-nb doctor`: one line for each thing that can be broken, with its remedy, as doctor.toml words it."""

import io
import os
import platform
import stat
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import distributions, requires, version
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import requests
from dotenv.parser import parse_stream
from packaging.requirements import Requirement

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.loopback import open_sockets
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings, credentials_file
from redbooth_nb.client.token import TokenStore
from redbooth_nb.client.wire import TIMEOUT, connect, transport_failure
from redbooth_nb.configuration import Configuration, make_private, port_holder
from redbooth_nb.errors import NotYet, RedboothError, printable, wordings
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.working_copies import FOLDER, REPOSITORY, has_lessons

WORDINGS = wordings(Path(__file__).with_suffix(".toml"))


def found(name: str, /, **values: object) -> str:
    """Return the finding of this name as one line. values: for the placeholders of its wording."""
    wording = {part: text.format_map(values) for part, text in WORDINGS[name].items()}
    remedy = f" What to do: {wording['remedy']}" if wording.get("remedy") else ""
    text = f"{wording.get('level', 'ok'):<8}{wording['what']}{remedy}"
    return printable(text, len(text)).replace("\n", "?")


def doctor(_: list[str]) -> int:
    """Print every finding; return 1 when something is broken, else 0."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may hold what the terminal cannot show
    findings = list(dict.fromkeys(finding for check in CHECKS for finding in _findings(check)))  # each once
    print("\n".join(findings))
    broken = sum(finding.startswith("broken") for finding in findings)
    print(f"\n{broken} broken." if broken else "\nAll is well.")
    return 1 if broken else 0


def _findings(check: Callable[[], Iterator[str]]) -> Iterator[str]:
    try:
        yield from check()
    except RedboothError as error:
        yield found("error", what=" ".join(f"{error.what} {error.why}".split()), remedy=error.remedy)
    except Exception as error:  # whatever it is, it is a finding; its text may hold a secret
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        yield found("stopped", check=check.__name__.replace("_", " ").strip(), reason=reason)


def _installation() -> Iterator[str]:
    yield found("python", version=platform.python_version(), system=platform.system())
    wrong = []
    for needed in map(Requirement, requires("redbooth-nb") or []):
        installed = next((each.version for each in distributions(name=needed.name)), "missing")
        if installed == "missing" or not needed.specifier.contains(installed, prereleases=True):
            wrong.append(f"{needed.name} is {installed}; the tested range is {needed.specifier}")
    command = "uv sync --no-dev" if has_lessons() else "pip install --force-reinstall PATH_TO_WHEEL"
    name = "packages-wrong" if wrong else "packages"
    yield found(name, version=version("redbooth-nb"), wrong=", ".join(wrong), command=command)


def _settings_file() -> Iterator[str]:
    if "OAUTHLIB_INSECURE_TRANSPORT" in os.environ:
        yield found("insecure-transport")
    file = Configuration.read().env_file
    if not file.exists():
        yield found("settings-none", file=file)
        return
    with file.open(encoding="utf-8") as text:
        unread = [part.original for part in parse_stream(text) if part.error]
    lines = " and ".join(str(part.line + part.string.rstrip().count("\n")) for part in unread)  # empty ones before
    shared = os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077
    yield found("settings-unread" if unread else "settings-shared" if shared else "settings", file=file, lines=lines)


def _folders() -> Iterator[str]:
    folders = {"State folder": (Configuration.read().state_dir, "set REDBOOTH_STATE_DIR to another folder")}
    if has_lessons():
        copies = REPOSITORY / FOLDER  # made by the first start, not here
        folders["Working copies"] = (copies if copies.exists() else REPOSITORY), "clone the repository to another place"
    else:
        yield found("lessons-none")
    for name, (folder, otherwise) in folders.items():
        try:
            make_private(folder)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(4096))
            yield found("folder", name=name, folder=folder)
        except OSError as error:
            yield found("folder-refused", name=name, folder=folder, reason=error.strerror, otherwise=otherwise)


def _ports() -> Iterator[str]:
    try:
        uri = Settings.load().redirect_uri
    except RedboothError:
        uri = DEFAULT_REDIRECT_URI
    host, port = urlsplit(uri).hostname or "", urlsplit(uri).port or 80
    try:
        for listening in open_sockets(host if host in {"localhost", "::1"} else "127.0.0.1", port):
            listening.close()
        yield found("port", port=port)
    except OSError:
        yield found("port-busy", port=port, user=port_holder(Configuration.read().state_dir / f"listener-{port}.json"))


def _provider() -> Iterator[str]:
    configuration = Configuration.read()
    who = current_provider(configuration)
    yield found("provider", label=who.label)
    if who.kind in {"live", "stand-in"}:
        try:
            connect(requests.Session()).head(ORIGIN, timeout=TIMEOUT)
            yield found("reachable", origin=who.origin)
        except OSError as error:  # all those of requests are, and a wrong REQUESTS_CA_BUNDLE
            why = transport_failure(error, "HEAD")
            yield found(f"unreachable-{who.kind}", origin=who.origin, why=f"{why.what.partition(': ')[2]} {why.why}")
    try:
        settings = Settings.load()
    except NotYet:
        name = "credentials-none" if has_lessons() or who.kind == "live" else "credentials-none-no-lessons"
        yield found(name, file=credentials_file(configuration, who))
        return
    name = "credentials-gone" if settings.wrong_field else "credentials"
    yield found(name, client_id=settings.shown_client_id, source=settings.source)
    with suppress(NotYet):
        PendingAuthorization(settings).load()
    store = TokenStore(settings.folder)
    name = "token-none" if store.load() is None else "token-cut-off" if store.interrupted() else "token"
    yield found(name, path=store.path)


def _surroundings() -> Iterator[str]:
    yield found("clock-behind" if time.time() < Path(__file__).stat().st_mtime else "clock")
    try:
        webbrowser.get()
        yield found("browser")
    except webbrowser.Error:
        yield found("browser-none")
    if kinds := sorted(getproxies().keys() - {"no"}):
        yield found("proxy" if proxy_bypass("127.0.0.1") else "proxy-for-all", kinds=", ".join(kinds))


CHECKS = (_installation, _settings_file, _folders, _ports, _provider, _surroundings)
