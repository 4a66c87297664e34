"""Serves the sandbox in a background thread, and stops it without leaving anything behind."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from waitress import create_server, wasyncore

from redbooth_nb.provider.sandbox.errors import SandboxError

MOST_CONNECTIONS = 1000  # open at once; browsers and sessions keep theirs open, and others wait for a free one

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


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
        self._server = create_server(
            app,
            map=self._connections,
            sockets=[listening],
            threads=4,
            connection_limit=MOST_CONNECTIONS,
            clear_untrusted_proxy_headers=False,  # links name the address that the caller knows
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="redbooth-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, close every connection and end every thread."""
        self._server.task_dispatcher.shutdown(timeout=1)
        self._stopping.set()
        self._server.pull_trigger()  # wakes the thread; the trigger's file is open until it has ended
        self._thread.join()
        wasyncore.close_all(self._connections)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            # poll, because select() fails in a kernel that has a thousand files open
            wasyncore.loop(timeout=1, use_poll=True, map=self._connections, count=1)
