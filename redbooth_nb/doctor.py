"""`redbooth-nb doctor`: one line for each thing that can be broken, with its remedy, as doctor.toml words it."""

import errno
import io
import os
import platform
import stat
import sys
import tempfile
import time
import tomllib
import webbrowser
from collections.abc import Callable, Iterator
from importlib.metadata import distributions, requires, version
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import requests
from dotenv.parser import parse_stream
from packaging.requirements import Requirement

from redbooth_nb.client.loopback import open_sockets
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings, credentials_file
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.wire import TIMEOUT, connect
from redbooth_nb.configuration import Configuration, make_private
from redbooth_nb.errors import NotYet, RedboothError, printable
from redbooth_nb.port_note import holder
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.working_copies import FOLDER, REPOSITORY, has_lessons

WORDINGS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def found(name: str, /, **values: object) -> str:
    """Return the line for the finding of this name. values: for the placeholders of its wording."""
    return line(**{part: text.format_map(values) for part, text in WORDINGS[name].items()})


def line(what: str, remedy: str = "", level: str = "ok") -> str:
    """Return a finding as one line: how it is ("ok", "note" or "broken"), what was checked, and what to do about it."""
    text = f"{level:<8}{what}" + (f" What to do: {remedy}" if remedy else "")
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
        yield line(" ".join(f"{error.what} {error.why}".split()), error.remedy, "broken")
    except Exception as error:  # whatever it is, it is a finding; its text may hold a secret
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        yield found("stopped", check=check.__name__.replace("_", " ").strip(), reason=reason)


def _installation() -> Iterator[str]:
    yield found("python", version=platform.python_version(), system=platform.system())
    wrong = []
    for needed in map(Requirement, requires("redbooth-nb") or []):
        installed = next((each.version for each in distributions(name=needed.name)), "missing")
        if installed == "missing" or not needed.specifier.contains(installed, prereleases=True):
            wrong.append(f"{needed.name} is {installed}, tested is {needed.specifier}")
    if wrong:
        command = "uv sync --no-dev" if has_lessons() else "pip install --force-reinstall, with the wheel"
        yield found("packages-wrong", wrong=", ".join(wrong), command=command)
    else:
        yield found("packages", version=version("redbooth-nb"))


def _settings_file() -> Iterator[str]:
    if "OAUTHLIB_INSECURE_TRANSPORT" in os.environ:
        yield found("insecure-transport")
    file = Configuration.read().env_file
    if not file.exists():
        yield found("settings-none", file=file)
        return
    with file.open(encoding="utf-8") as text:
        unread = [part.original for part in parse_stream(text) if part.error]
    if unread:
        lines = " and ".join(str(part.line + part.string.rstrip().count("\n")) for part in unread)  # empty ones before
        yield found("settings-unread", file=file, lines=lines)
    else:
        shared = os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077
        yield found("settings-shared" if shared else "settings", file=file)


def _folders() -> Iterator[str]:
    yield _writable("State", Configuration.read().state_dir, "set REDBOOTH_STATE_DIR to another folder")
    if has_lessons():
        copies = REPOSITORY / FOLDER  # made by the first start, not here
        place = copies if copies.exists() else REPOSITORY
        yield _writable("Working copies", place, "clone the repository to another place")
    else:
        yield found("lessons-none")


def _writable(name: str, folder: Path, otherwise: str) -> str:
    # `otherwise` ends the remedy
    try:
        make_private(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        problem = "folder-full" if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} else "folder-refused"
        return found(problem, name=name, folder=folder, reason=error.strerror, otherwise=otherwise)
    return found("folder", name=name, folder=folder)


def _ports() -> Iterator[str]:
    try:
        uri = Settings.load().redirect_uri
    except RedboothError:
        uri = DEFAULT_REDIRECT_URI
    host, port = urlsplit(uri).hostname or "", urlsplit(uri).port or 80
    user = holder(Configuration.read().state_dir / f"listener-{port}.json")
    yield found("port", port=port) if _free(host, port) else found("port-busy", port=port, user=user)


def _free(host: str, port: int) -> bool:
    try:
        listening = open_sockets(host if host in {"localhost", "::1"} else "127.0.0.1", port)
    except OSError:
        return False
    for each in listening:
        each.close()
    return True


def _provider() -> Iterator[str]:
    configuration = Configuration.read()
    if _writable("State", configuration.state_dir, "").startswith("broken"):
        return  # that was said above; what the sandbox would say about it helps less
    who = current_provider(configuration)
    yield found("provider", label=who.label)
    if who.kind in {"live", "stand-in"}:
        try:
            connect(requests.Session()).head(ORIGIN, timeout=TIMEOUT)
        except requests.RequestException:
            yield found(f"unreachable-{who.kind}", origin=who.origin)
        else:
            yield found("reachable", origin=who.origin)
    try:
        settings = Settings.load()
    except NotYet:
        name = "credentials-none" if has_lessons() else "credentials-none-no-lessons"
        yield found(name, file=credentials_file(configuration, who))
        return
    yield found("credentials", client_id=settings.shown_client_id, source=settings.source)
    store = TokenStore(settings.folder)
    if store.load() is None:
        yield found("token-none")
    else:
        yield found("token-cut-off" if store.interrupted() else "token", path=store.path)


def _surroundings() -> Iterator[str]:
    yield found("clock-behind" if time.time() < Path(__file__).stat().st_mtime else "clock")
    try:
        webbrowser.get()
    except webbrowser.Error:
        yield found("browser-none")
    else:
        yield found("browser")
    if kinds := sorted(getproxies().keys() - {"no"}):
        yield found("proxy" if proxy_bypass("127.0.0.1") else "proxy-for-all", kinds=", ".join(kinds))


CHECKS = (_installation, _settings_file, _folders, _ports, _provider, _surroundings)
