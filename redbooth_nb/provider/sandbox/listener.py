"""The sandbox's web server, for a browser of this machine or cURL; the notebook's own requests need none."""

import logging
import socket
import threading
from contextlib import suppress

from flask import Flask
from waitress import create_server, wasyncore

from redbooth_nb.provider.sandbox.data import SETTINGS, SandboxError

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class Listener:
    """Serves an application in a thread, on 127.0.0.1 and the first of ``ports`` that is free (0: any free port).

    Raises SandboxError if none is.
    """

    def __init__(self, app: Flask, *ports: int) -> None:
        self._connections: dict[int, object] = {}
        sockets = [_listen(*ports)]
        self._server = create_server(app, map=self._connections, sockets=sockets, **SETTINGS["waitress"])
        self.base_url = f"http://127.0.0.1:{self._server.effective_port}"
        self._thread = threading.Thread(target=self._server.run, name="redbooth-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and leave no thread behind."""
        self._server.task_dispatcher.shutdown(timeout=1)
        with suppress(OSError):  # a request that just ended can be the first to wake the thread
            # in the server's own thread, which ends when nothing is left to wait for
            self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._connections))
        self._thread.join()


def _listen(*ports: int) -> socket.socket:
    for port in ports:
        with suppress(OSError):
            if port in range(65_536):
                return socket.create_server(("127.0.0.1", port))
    raise SandboxError.named("port", port=ports[0])
