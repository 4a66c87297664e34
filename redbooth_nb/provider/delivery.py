"""Where requests to the guide's addresses, which never change, really go: `REDBOOTH_PROVIDER` decides."""

import json
import logging
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from weakref import proxy

import requests
from urllib3.exceptions import HTTPError

from redbooth_nb import changes
from redbooth_nb.child_processes.sitecustomize import is_redbooth
from redbooth_nb.configuration import Configuration, ConfigurationError, make_private
from redbooth_nb.provider.adapter import AUTHORITY, InProcessDelivery, LoopbackDelivery
from redbooth_nb.provider.addresses import ORIGIN

Kind = Literal["live", "sandbox", "stand-in", "recorded"]
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
NO_SCHEME = re.compile(r"[\w.-]+(:\d+)?([/?#]|$)")  # a browser opens this, too
LONGEST_CHOICE, SLOWEST_CLOCK, LARGEST_CLOCK = 60, 5, 1000  # characters shown; seconds and bytes for an answer
FURTHEST_CLOCK = 100 * 31_557_600  # seconds; no date can express a clock much further from this machine's


def _without_query(record: logging.LogRecord) -> bool:
    """Keep what a query holds, such as `state`, out of what urllib3 logs at DEBUG about this machine."""
    if LOOPBACK_HOSTS & {*map(str, record.args or ())}:
        record.args = tuple(part.partition("?")[0] if isinstance(part, str) else part for part in record.args or ())
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_without_query)


class Provider:
    """Redbooth, or whoever answers in its place. This one is the real service; the others override what differs.

    name: the folder its state is kept under. origin: where a browser finds it; for a sandbox that does not listen, the
    guide's own address. A `link` makes it listen.
    """

    kind: Kind = "live"
    name = "redbooth.com"
    origin = ORIGIN
    label = "the real redbooth.com"

    def deliver(self, session: requests.Session) -> None:
        """Let `session` reach this provider. Nothing to do for the real one."""

    def link(self, url: str = ORIGIN) -> str:
        """Return the address at which a browser on this machine finds the guide's `url`."""
        return self.origin + url.removeprefix(ORIGIN)

    def now(self) -> float:
        """Return the provider's clock in Unix seconds."""
        return time.time()

    def let_time_pass(self, seconds: float) -> bool:
        """Move the clock forward, where that can be done. Returns whether it was."""
        return False

    def wrong_field(self, client_id: str, client_secret: str, redirect_uri: str) -> str:
        """Return what does not fit a registered app: "client_id", "client_secret", "redirect_uri", or "" for nothing.

        Only the sandbox can be asked: for any other service a wrong secret could look like an attempt to guess it.
        """
        return ""

    def revoked(self, access_token: str) -> bool:
        """Return whether a token is known to be revoked or forgotten. Only the sandbox can tell without a request."""
        return False

    def __repr__(self) -> str:
        return f"<{self.label}>"


class StandIn(Provider):
    """Another stand-in on this machine, for example a real Doorkeeper."""

    kind: Kind = "stand-in"

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.name = urlsplit(origin).netloc.replace(":", "-").strip("[]")
        self.label = f"the stand-in at {origin}"
        self._offset: float | None = None

    def deliver(self, session: requests.Session) -> None:
        """Let `session` reach it under the name of https://redbooth.com, however that is spelled."""
        session.mount(f"{ORIGIN}/", delivery := self._delivery())  # so that it is closed with the session
        own, this = type(session).get_adapter, proxy(session)  # by proxy, so that nothing keeps the session alive
        vars(session)["get_adapter"] = lambda url: delivery if guides_spelling(url) else own(this, url)

    def _delivery(self) -> LoopbackDelivery:
        return LoopbackDelivery(self.origin)

    def now(self) -> float:
        if self._offset is None:
            self._offset = self._clock("GET") or 0.0
        return time.time() + self._offset

    def let_time_pass(self, seconds: float) -> bool:
        self._offset = self._clock("POST", advance=seconds)
        changes.announce()
        return self._offset is not None

    def _clock(self, method: str, **fields: float) -> float | None:
        session, body, end = requests.Session(), b"", time.monotonic() + SLOWEST_CLOCK
        session.trust_env = False
        limits: dict[str, Any] = {"timeout": 5, "stream": True, "allow_redirects": False}  # no redirect to redbooth.com
        try:
            with session.request(method, f"{self.origin}/clock", json=fields or None, **limits) as answer:
                while time.monotonic() < end and len(body) < LARGEST_CLOCK and (part := answer.raw.read1(99)):
                    body += part
            offset = float(json.loads(body)["offset"])
            return offset if abs(offset) <= FURTHEST_CLOCK else None  # nan is not <= anything
        except (OSError, HTTPError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None  # no clock of its own: that is an answer, not a failure


class EmbeddedSandbox(StandIn):
    """The kit's own stand-in, in this process, over a file that all notebooks share. It listens once it is asked to."""

    kind = "sandbox"
    name = "sandbox"
    label = "the sandbox on this machine"

    def __init__(self, file: Path) -> None:
        from redbooth_nb.provider.sandbox import Sandbox  # pulls in a web framework that the others do not need

        self.sandbox = Sandbox(file)

    def _delivery(self) -> LoopbackDelivery:
        return InProcessDelivery(self.sandbox.app)

    @property
    def origin(self) -> str:  # type: ignore[override]
        return self.sandbox.listening or ORIGIN

    def link(self, url: str = ORIGIN) -> str:
        return self.sandbox.start() + url.removeprefix(ORIGIN)

    def now(self) -> float:
        return self.sandbox.now()

    def let_time_pass(self, seconds: float) -> bool:
        self.sandbox.advance(seconds)
        return True

    def wrong_field(self, client_id: str, client_secret: str, redirect_uri: str) -> str:
        return self.sandbox.wrong_field(client_id, client_secret, redirect_uri)

    def revoked(self, access_token: str) -> bool:
        return self.sandbox.revoked(access_token)


def guides_spelling(url: str) -> str:
    """Return an address of redbooth.com with the origin that the guide names, "" for another's."""
    host = None
    with suppress(ValueError):  # no address at all
        host = urlsplit(f"//{url}" if NO_SCHEME.match(url) else url).hostname
    return ORIGIN + AUTHORITY.sub("", url) if is_redbooth(host) else ""


_running: dict[str, Provider] = {}


def current_provider(configuration: Configuration | None = None) -> Provider:
    """Return the provider that `REDBOOTH_PROVIDER` names, started if need be; the same one for the whole process.

    `sandbox` (default), `recorded`, `live`, or the http address of another stand-in on this machine.
    Raises ConfigurationError when the setting is none of these, or SandboxError when the sandbox cannot start.
    """
    configuration = configuration or Configuration.read()
    choice = configuration.get("REDBOOTH_PROVIDER", "sandbox")
    key = f"{choice} {configuration.state_dir}"
    return _running.get(key) or _running.setdefault(key, _start(choice, configuration))  # by whichever thread is first


def _start(choice: str, configuration: Configuration) -> Provider:
    if choice == "live":
        return Provider()
    if choice == "sandbox":
        with suppress(OSError):  # the sandbox says it in words
            make_private(configuration.state_dir)
        return EmbeddedSandbox(configuration.state_dir / "sandbox" / "sandbox.sqlite3")
    if choice == "recorded":
        from redbooth_nb.provider.recorded import Recorded

        return Recorded(configuration.get("REDBOOTH_RECORDING"), configuration.state_dir / "recorded" / "journal.jsonl")
    found = re.fullmatch(r"(http://(?i:127\.0\.0\.1|localhost|\[::1\])(?::([0-9]{0,5}))?)/?", choice)
    if found and int(found[2] or 80) in range(1, 65_536):
        return StandIn(found[1])
    # without a closing quotation mark or line break in .env, the value runs on into lines that hold secrets
    shown = re.split(r"[\s=]", choice)[0][:LONGEST_CHOICE]
    raise ConfigurationError.named("no_provider", choice=shown if shown == choice else f"{shown} ...")
