"""`redbooth-nb doctor`: one line for each thing that can be broken, with its remedy."""

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator

import requests
from dotenv.parser import parse_stream

from redbooth_nb.client.register import Settings, credentials_file
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.wire import TIMEOUT
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.machine import BROKEN, NOTE, OK, Finding, either, folders, installation, ports, surroundings, writable
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.provider import Provider
from redbooth_nb.working_copies import has_lessons


def doctor(_: list[str]) -> int:
    """Print every finding; return 1 when something is broken, else 0."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may hold what the terminal cannot show
    findings = list(dict.fromkeys(finding for check in CHECKS for finding in _findings(check)))  # each once
    print("\n".join(map(str, findings)))
    broken = sum(finding.level == BROKEN for finding in findings)
    print(f"\n{broken} broken." if broken else "\nAll is well.")
    return 1 if broken else 0


def _findings(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except RedboothError as error:
        yield Finding(BROKEN, " ".join(f"{error.what} {error.why}".split()), error.remedy)
    except Exception as error:  # whatever it is, it is a finding; its text may hold a secret
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        remedy = "Mend what is broken above and run this again; otherwise report it, with this line."
        yield Finding(BROKEN, f"The check of {check.__name__.replace('_', ' ')} stopped: {reason}.", remedy)


def settings_file() -> Iterator[Finding]:
    """Check `.env`, and the settings in it and in the environment."""
    if "OAUTHLIB_INSECURE_TRANSPORT" in os.environ:
        remedy = "Unset it; the kit does not need it, and even the value 0 switches the protection off."
        yield Finding(BROKEN, "OAUTHLIB_INSECURE_TRANSPORT is set: oauthlib would send secrets unprotected.", remedy)
    file = Configuration.read().env_file
    if not file.exists():
        yield Finding(OK, f"Settings: no {file}, so the lessons run on the sandbox")
        return
    with file.open(encoding="utf-8") as text:
        unread = [part.original for part in parse_stream(text) if part.error]
    if unread:
        lines = " and ".join(str(part.line + part.string.rstrip().count("\n")) for part in unread)  # empty ones before
        remedy = "Write NAME=value on each line, with every quotation mark closed."
        yield Finding(BROKEN, f"Settings: {file} cannot be understood in line {lines}.", remedy)
    elif os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding(NOTE, f"Settings: {file} can be read by others.", f"chmod 600 {file}")
    else:
        yield Finding(OK, f"Settings: {file}")


def provider() -> Iterator[Finding]:
    """Check that the provider answers, the credentials, and the stored token."""
    configuration = Configuration.read()
    if writable("State", configuration.state_dir, "").level == BROKEN:
        return  # that was said above; what the sandbox would say about it helps less
    who = current_provider(configuration)
    yield Finding(OK, f"{ORIGIN} is answered by {who.label}")
    if who.kind in {"live", "stand-in"}:
        yield _answer(who)
    try:
        settings = Settings.load()
    except NotYet:
        place = credentials_file(configuration, who)
        remedy = "Do notebook 01-register." if has_lessons() else "In Python: redbooth_nb.catch_up('authorize')"
        yield Finding(NOTE, f"Credentials: none in {place} yet.", remedy)
        return
    yield Finding(OK, f"Credentials: client id {settings.shown_client_id}, from {settings.source}")
    store = TokenStore(settings.folder)
    token = store.load()
    cut_off = "Token: a refresh was cut off, and the new token may be lost with it."
    remedy = "If Redbooth refuses the next call, authorize again: notebook 02-authorize."
    good = f"Token: {f'stored in {store.path}' if token else 'none yet'}"
    yield either(good, cut_off if token and store.interrupted() else "", remedy)


def _answer(who: Provider) -> Finding:
    session, problem = requests.Session(), ""
    who.deliver(session)
    try:
        session.head(ORIGIN, timeout=TIMEOUT)
    except requests.RequestException:
        problem = f"{who.origin} cannot be reached."
    practice = "practice on the sandbox (REDBOOTH_PROVIDER=sandbox)."
    remedy = f"{'Check network and proxy' if who.kind == 'live' else 'Start it'}, or {practice}"
    return either(f"{who.origin} can be reached", problem, remedy)


CHECKS = (installation, settings_file, folders, ports, provider, surroundings)
