"""A stand-in for Redbooth on the learner's own machine: consent page, tokens and API, over one SQLite file.

It answers as Doorkeeper 5.5 does, the engine behind redbooth.com, except where ``differences.toml`` says otherwise.
"""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from redbooth_nb import changes
from redbooth_nb.provider.sandbox import database
from redbooth_nb.provider.sandbox.data import SETTINGS, SandboxError, Switches, switch_problem
from redbooth_nb.provider.sandbox.database import Database, Transaction
from redbooth_nb.provider.sandbox.pages import problems
from redbooth_nb.provider.sandbox.records import Application, save_application
from redbooth_nb.provider.sandbox.web import create_app

__all__ = ["Sandbox", "SandboxError", "Switches"]

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class Sandbox:
    """The practice Redbooth over ``file`` (created if it's missing); several kernels may share one file.

    ``app`` is its web application. It listens only after ``start``, on 127.0.0.1 and the first of ``ports`` that is
    free (0: any). Its methods raise SandboxError.
    """

    def __init__(self, file: Path, *ports: int) -> None:
        self._database = Database(file)
        self._ports = ports or (8764, 0)
        self.listening = ""  # the address, once it does
        self._stop: Callable[[], None] = lambda: None
        self.app = create_app(self._database)

    def start(self) -> str:
        """Serve in a thread; return the address."""
        from waitress import create_server, wasyncore

        with database.turn:  # a double click starts only one
            if not self.listening:
                connections: dict[int, object] = {}
                server = create_server(self.app, map=connections, sockets=[self._socket()], **SETTINGS["waitress"])
                thread = threading.Thread(target=server.run, name="redbooth-sandbox", daemon=True)
                thread.start()

                def stop() -> None:
                    server.task_dispatcher.shutdown(timeout=1)
                    with suppress(OSError):  # a request that just ended can be the first to wake the thread
                        # in the server's own thread, which ends when nothing is left to wait for
                        server.trigger.pull_trigger(lambda: wasyncore.close_all(connections))
                    thread.join()

                self.listening, self._stop = f"http://127.0.0.1:{server.effective_port}", stop
            return self.listening

    def stop(self) -> None:
        """Stop serving and leave no thread behind; what was registered and granted stays in the file."""
        with database.turn:
            stop, self.listening, self._stop = self._stop, "", lambda: None
        stop()
        database.close_kept()

    def _socket(self) -> socket.socket:
        for port in self._ports:
            with suppress(OSError):
                if port in range(65_536):
                    return socket.create_server(("127.0.0.1", port))
        raise SandboxError.named("sandbox_port", port=self._ports[0])

    def now(self) -> float:
        """Return the sandbox's time in unix seconds, which is the same for all kernels on this file."""
        return self._database.transact(lambda tx: tx.now)

    def advance(self, seconds: float) -> None:
        """Move the clock by this many seconds (back if negative), within 100 years of the machine's time."""
        self._change(lambda tx: tx.advance(seconds))

    def reset_clock(self) -> None:
        """Set the clock to the machine's time."""
        self._change(lambda tx: tx.set("clock_offset", 0.0))

    @property
    def switches(self) -> Switches:
        """The present switches."""
        return self._database.transact(lambda tx: tx.switches)

    def switch(self, **changes: object) -> None:
        """Change switches, for example ``switch(token_lifetime=60)``; see ``settings.toml`` for names and values."""
        for problem in filter(None, map(switch_problem, changes, changes.values())):
            raise problem
        self._change(lambda tx: tx.set("switches", vars(tx.switches) | changes))

    def seed_application(
        self, name: str, redirect_uri: str, *, client_id: str | None = None, client_secret: str | None = None
    ) -> dict[str, str]:
        """Register an application, or update the one with this client id; return its credentials."""
        # without a client id or secret, it gets random ones
        values = {"name": name, "redirect_uri": redirect_uri, "scopes": "", "confidential": True}
        for field, problem in problems(values).items():
            raise SandboxError.named("sandbox_application", name=name, field=field, problem=problem.rstrip("."))
        values |= {"uid": client_id or None, "secret": client_secret or None}
        saved = self._database.transact(lambda tx: save_application(tx, tx.find(Application, "uid", client_id), values))
        return {"client_id": saved.uid, "redirect_uri": saved.redirect_uri, "client_secret": saved.secret}

    def reset(self) -> None:
        """Forget applications, codes, tokens, clock and switches."""
        # codes and tokens go with their application
        everything = ("DELETE FROM applications", "DELETE FROM settings WHERE name != 'secret_key'")
        self._change(lambda tx: [tx.run(sql) for sql in everything])

    def _change(self, work: Callable[[Transaction], object]) -> None:
        self._database.transact(work)
        changes.announce()
