"""Stage 2, the listener: a small server on this machine that the browser is sent back to (RFC 8252 section 7.3).

It listens before the link is shown, takes one answer, shows nothing of what it was sent, and logs nothing.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Final
from urllib.parse import urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.state import StateAlreadyUsed
from redbooth_nb.errors import RedboothError, without_frames
from redbooth_nb.provider.delivery import LOOPBACK_HOSTS

WAITING, ANSWERED, CANCELLED, TIMED_OUT = "waiting", "answered", "cancelled", "timed out"
DEFAULT_TIMEOUT: Final = 600.0  # seconds, as long as an authorization code lives
SLOWEST_BROWSER: Final = 5.0  # seconds to send a request
HTTP_PORT: Final = 80  # browsers leave it out
PASTE: Final = "Sign in with the link all the same, then paste the address you are sent to: .paste('http...')"

PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}}</style>
<main><h1>{title}</h1><p>{text}</p></main></html>"""


class PortBusy(RedboothError):  # noqa: N818  (named as what happened)
    """The port of the redirect URI is in use, or cannot be opened."""


class CallbackListener:
    """Waits for the answer to one request. `on_change` is called from its thread after every change of status.

    status: "waiting", "answered", "cancelled" or "timed out". refused: why answers were not taken.
    """

    def __init__(
        self,
        request: AuthorizationRequest,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.request = request
        self.timeout = timeout
        self.on_change = on_change
        self.status = WAITING
        self.response: AuthorizationResponse | None = None
        self.refused: list[RedboothError] = []
        self._until = time.monotonic() + timeout
        self._done = threading.Event()
        self._lock = threading.Lock()
        parts = urlsplit(request.redirect_uri)
        self.host, self.port, self.path = parts.hostname or "", parts.port or HTTP_PORT, parts.path or "/"
        if parts.scheme != "http" or self.host not in LOOPBACK_HOSTS:
            raise PortBusy(
                f"The redirect URI {request.redirect_uri} does not lead to this machine, so nothing can listen there.",
                remedy=PASTE,
                reference="RFC 8252 section 7.3",
            )

    @property
    def hosts(self) -> set[str]:
        """What a browser sends as `Host` for the redirect URI; any other name is an attack (DNS rebinding)."""
        names = {"127.0.0.1", "localhost", "[::1]"}
        return {f"{name}:{self.port}" for name in names} | (names if self.port == HTTP_PORT else set())

    @property
    def remaining(self) -> float:
        """The seconds it still waits, 0 when it does not."""
        return max(self._until - time.monotonic(), 0.0) if self.status == WAITING else 0.0

    def start(self) -> None:
        """Listen. A listener of the same kernel on the same port is cancelled first. Raises PortBusy."""
        older = _listening.get(self.port)
        if older is not None:
            older.cancel()
        problem = ""
        try:
            self._server = _Server(("::1" if self.host == "::1" else "127.0.0.1", self.port), self)
        except OSError as error:
            problem = error.strerror or "it cannot be opened"
        if problem:
            raise PortBusy(
                f"Port {self.port} is not free ({problem}).",
                why=f"{holder(self._note) or 'Another program'} is using it.",
                remedy=f"Close that one and run the cell again. Or: {PASTE}",
            )
        _listening[self.port] = self
        self._leave_note()
        self._until = time.monotonic() + self.timeout
        self._timer = threading.Timer(self.timeout, self._end, [TIMED_OUT])
        self._timer.daemon = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="callback listener", daemon=True).start()
        self._timer.start()  # a browser may have been faster: then the timer is cancelled, and ends at once

    def cancel(self) -> None:
        """Stop listening; an answer that came stays."""
        self._end(CANCELLED)

    def wait(self, seconds: float) -> bool:
        """Wait until the listener is done, at most `seconds`; return whether it is. For scripts, not for cells."""
        return self._done.wait(seconds)

    @without_frames
    def take(self, callback_url: str) -> AuthorizationResponse:
        """Take an answer, from the browser or pasted by hand: the way is the same.

        Raises CallbackError or StateError when it is not the answer; the waiting then goes on.
        """
        try:
            response = AuthorizationResponse.read(callback_url, self.request)
        except RedboothError as error:
            self.refused.append(error)
            self.on_change()
            raise
        self.response = response
        return response

    def finish(self) -> None:
        """Stop after an answer was taken."""
        self._end(ANSWERED)

    def _end(self, status: str) -> None:
        with self._lock:
            first = self.status == WAITING
            if first:
                self.status = status
        if not first:
            self._done.wait(SLOWEST_BROWSER)  # another thread is closing the port
            return
        if hasattr(self, "_timer"):
            self._timer.cancel()
            self._server.shutdown()
            self._server.server_close()
            self._note.unlink(missing_ok=True)
        if _listening.get(self.port) is self:
            del _listening[self.port]
        self._done.set()
        self.on_change()

    @property
    def _note(self) -> Path:
        return self.request.settings.folder.parents[1] / f"listener-{self.port}.json"

    def _leave_note(self) -> None:
        who = {"pid": os.getpid(), "notebook": Path(os.environ.get("JPY_SESSION_NAME", "")).name}
        self._note.write_text(json.dumps(who), encoding="utf-8")


_listening: dict[int, CallbackListener] = {}


def holder(note: Path) -> str:
    """Return which notebook of the kit holds the port, "" when it is none of them."""
    try:
        who = json.loads(note.read_text(encoding="utf-8"))
        if os.name != "nt":  # there signal 0 is Ctrl-C
            os.kill(int(who["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f"The notebook {who['notebook']}" if who.get("notebook") else f"Another notebook (process {who['pid']})"


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two programs share the port

    def __init__(self, address: tuple[str, int], listener: CallbackListener) -> None:
        self.listener = listener
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """Say nothing: port scans and broken connections are no news, and a trace would hold secrets."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SLOWEST_BROWSER
    server_version = "redbooth-nb"
    sys_version = ""

    def do_GET(self) -> None:
        listener = self.server.listener
        if self.headers.get("Host", "") not in listener.hosts or not self.path.startswith("/"):
            return self._page(400, "Wrong address", "This page only answers on its own address.")
        if urlsplit(self.path).path != listener.path:
            return self._page(404, "Nothing here", "Only the redirect URI is answered.")
        if listener.response is not None:
            return self._page(410, "Already answered", "The notebook has its answer. You can close this tab.")
        own = urlsplit(listener.request.redirect_uri)
        try:
            response = listener.take(f"{own.scheme}://{own.netloc}{self.path}")
        except StateAlreadyUsed:
            return self._page(410, "Already answered", "The notebook has its answer. You can close this tab.")
        except RedboothError as error:
            return self._page(400, "Not the answer", f"{error.what} The notebook is still waiting.")
        words = {"allowed": "You allowed access", "denied": "You denied access"}
        title = words.get(response.outcome, "Redbooth reported an error")
        try:
            self._page(200, title, "You can close this tab and go back to the notebook.")
        finally:  # also where the tab was closed already: the answer is taken
            listener.finish()
        return None

    def _page(self, status: int, title: str, text: str) -> None:
        body = PAGE.format(title=title, text=text).encode()  # our own sentences only, nothing of the request
        self.send_response_only(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()

    def send_error(self, code: int, *_: object) -> None:
        """Answer what is no GET of a browser with a page of our own: the standard one repeats what was sent."""
        self._page(code, "Not understood", "Only the redirect URI is answered.")

    def log_message(self, *_: object) -> None:
        """Say nothing: the address holds the code."""
