"""Serving the sandbox in a background thread, and stopping without a trace."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from waitress import create_server, wasyncore

from redbooth_nb.provider.sandbox.errors import SandboxError

MOST_CONNECTIONS = 1000  # open at once; browsers and sessions keep theirs, and one too many waits until others go

# A short queue or a connection that went away is no news, and a notebook must not show it.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class Listener:
    """A running web server on 127.0.0.1.

    ``port``: the port to take, 0 for any. Raises SandboxError when it is taken.
    """

    def __init__(self, app: Callable[..., Any], port: int) -> None:
        listening = _bound(port)
        self.port: int = listening.getsockname()[1]
        self._server = create_server(
            app,
            sockets=[listening],
            threads=4,
            connection_limit=MOST_CONNECTIONS,
            clear_untrusted_proxy_headers=False,  # links name the address by which the caller knows us
        )
        self._connections: dict[int, Any] = self._server._map  # noqa: SLF001 - waitress has no way to stop by itself
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


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # On Windows two programs could otherwise share the port; elsewhere a restart must not wait for old connections.
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    listening.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()
    except OSError as problem:
        listening.close()
        raise SandboxError(
            f"The sandbox can't listen on port {port}: {problem.strerror}. Another program uses it, perhaps another "
            "sandbox. Stop that one, or start this one with another port (0 takes any free one)."
        ) from problem
    return listening
