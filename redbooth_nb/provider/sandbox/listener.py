"""The sandbox's web server, for a browser of this machine or cURL; the notebook's own requests need none."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from flask import Flask
from waitress import create_server, wasyncore

from redbooth_nb.provider.sandbox.data import SETTINGS, SandboxError

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def listen(app: Flask, *ports: int) -> tuple[str, Callable[[], None]]:
    """Serve ``app`` in a thread, on 127.0.0.1 and the first of ``ports`` that is free (0: any).

    Returns the address, and what stops the server and leaves no thread behind. Raises SandboxError if no port is free.
    """
    connections: dict[int, object] = {}
    server = create_server(app, map=connections, sockets=[_socket(*ports)], **SETTINGS["waitress"])
    thread = threading.Thread(target=server.run, name="redbooth-sandbox", daemon=True)
    thread.start()

    def stop() -> None:
        server.task_dispatcher.shutdown(timeout=1)
        with suppress(OSError):  # a request that just ended can be the first to wake the thread
            # in the server's own thread, which ends when nothing is left to wait for
            server.trigger.pull_trigger(lambda: wasyncore.close_all(connections))
        thread.join()

    return f"http://127.0.0.1:{server.effective_port}", stop


def _socket(*ports: int) -> socket.socket:
    for port in ports:
        with suppress(OSError):
            if port in range(65_536):
                return socket.create_server(("127.0.0.1", port))
    raise SandboxError.named("port", port=ports[0])
