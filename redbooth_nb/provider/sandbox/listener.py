"""Serves the sandbox in a background thread, and stops it without leaving anything behind."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from waitress import create_server, wasyncore

from redbooth_nb.provider.sandbox.errors import SandboxError

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
SETTINGS = {
    "threads": 4,
    "connection_limit": 1000,  # open at once; browsers and sessions keep theirs open, and others wait for a free one
    "clear_untrusted_proxy_headers": False,  # links name the address that the caller knows
    "asyncore_use_poll": True,  # select() fails in a kernel that has a thousand files open
}


class Listener:
    """A running web server on 127.0.0.1 and ``port`` (0: any free port). Raises SandboxError if it's taken."""

    def __init__(self, app: Callable[..., Any], port: int) -> None:
        if port not in range(65_536):
            raise SandboxError.named("port", port=port)
        try:
            listening = socket.create_server(("127.0.0.1", port))
        except OSError as problem:
            raise SandboxError.named("port", port=port) from problem
        self.port: int = listening.getsockname()[1]
        self._connections: dict[int, Any] = {}
        self._server = create_server(app, map=self._connections, sockets=[listening], **SETTINGS)
        self._thread = threading.Thread(target=self._server.run, name="redbooth-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, close every connection and end every thread."""
        self._server.task_dispatcher.shutdown(timeout=1)
        # in the server's own thread, which ends when nothing is left to wait for
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._connections))
        self._thread.join()
