"""Stage 2, the listener: a small server on this machine that the browser is sent back to (RFC 8252 section 7.3).

It listens before the link is shown and takes one answer; what the browser sees is in `callback_page.py`.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback_page import SLOWEST_BROWSER, CallbackServer
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.errors import RedboothError, without_frames
from redbooth_nb.provider.delivery import LOOPBACK_HOSTS

WAITING, ANSWERED, CANCELLED, TIMED_OUT = "waiting", "answered", "cancelled", "timed out"
DEFAULT_TIMEOUT: Final = 600.0  # seconds, as long as an authorization code lives
HTTP_PORT: Final = 80  # browsers leave it out
PASTE: Final = "Sign in with the link all the same, then paste the address you are sent to: .paste('http...')"


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
        self._until = 0.0
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
            self._server = CallbackServer(("::1" if self.host == "::1" else "127.0.0.1", self.port), self)
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
