"""A stand-in for Redbooth on the learner's own machine: consent page, tokens and API, over one SQLite file.

It answers as Doorkeeper 5.5 does, the engine behind redbooth.com, except where ``differences.toml`` says otherwise.
"""

import logging
import socket
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from waitress import create_server, wasyncore

from redbooth_nb.provider.sandbox.applications import problems
from redbooth_nb.provider.sandbox.data import SETTINGS
from redbooth_nb.provider.sandbox.database import Database
from redbooth_nb.provider.sandbox.errors import SandboxError
from redbooth_nb.provider.sandbox.records import Application, save_application
from redbooth_nb.provider.sandbox.switches import Switches
from redbooth_nb.provider.sandbox.web import create_app

__all__ = ["Sandbox", "SandboxError", "Switches"]

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class Sandbox:
    """The practice Redbooth over ``file`` (created if it's missing); several kernels may share one file.

    It listens only after ``start``, on 127.0.0.1 and ``port`` (0: any free port). Its methods raise SandboxError.
    """

    def __init__(self, file: Path, port: int = 8764) -> None:
        self._database = Database(Path(file))
        self._port = port
        self._turn = threading.Lock()  # so that a double click starts only one
        self._server: Any = None
        self._connections: dict[int, Any] = {}

    def start(self, *, strict_port: bool = False) -> None:
        """Serve in the background. If the port is busy, use another, or with ``strict_port`` raise SandboxError."""
        with self._turn:
            if self._server:
                return
            app = create_app(self._database)
            try:
                listening = _listen(self._port)
            except SandboxError:
                if strict_port:
                    raise
                listening = _listen(0)
            self._server = create_server(app, map=self._connections, sockets=[listening], **SETTINGS["waitress"])
            self._thread = threading.Thread(target=self._server.run, name="redbooth-sandbox", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop serving and leave no thread behind; what was registered and granted stays in the file."""
        with self._turn:
            if self._server:
                self._server.task_dispatcher.shutdown(timeout=1)
                # in the server's own thread, which ends when nothing is left to wait for
                self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._connections))
                self._thread.join()
                self._server = None

    @property
    def base_url(self) -> str:
        """Where it listens, for example ``http://127.0.0.1:8764``."""
        if self._server is None:
            raise SandboxError.named("stopped")
        return f"http://127.0.0.1:{self._server.effective_port}"

    def now(self) -> float:
        """Return the sandbox's time in unix seconds, which is the same for all kernels on this file."""
        with self._database.transaction() as tx:
            return tx.now

    def advance(self, seconds: float) -> None:
        """Move the clock by this many seconds (back if negative), within 100 years of the machine's time."""
        with self._database.transaction() as tx:
            tx.advance(seconds)

    def reset_clock(self) -> None:
        """Set the clock to the machine's time."""
        with self._database.transaction() as tx:
            tx.set("clock_offset", 0.0)

    @property
    def switches(self) -> Switches:
        """The present switches."""
        with self._database.transaction() as tx:
            return tx.switches

    def switch(self, **changes: object) -> None:
        """Change switches, for example ``switch(token_lifetime=60)``; see Switches for names and values."""
        with self._database.transaction() as tx:
            tx.set("switches", asdict(tx.switches.changed(**changes)))

    def seed_application(
        self, name: str, redirect_uri: str, *, client_id: str | None = None, client_secret: str | None = None
    ) -> dict[str, str]:
        """Register an application, or update the one with this client id; return its credentials."""
        # without a client id or secret, it gets random ones
        values = {"name": name, "redirect_uri": redirect_uri, "scopes": "", "confidential": True}
        for field, problem in problems(values).items():
            raise SandboxError.named("application", name=name, field=field, problem=problem.rstrip("."))
        with self._database.transaction() as tx:
            known = tx.find(Application, "uid", client_id)
            saved = save_application(tx, known, values | {"uid": client_id or None, "secret": client_secret or None})
        return {**_shown(saved), "client_secret": saved.secret}

    def applications(self) -> list[dict[str, str]]:
        """Return the registered applications, oldest first, without their secrets."""
        with self._database.transaction() as tx:
            return [_shown(found) for found in tx.records(Application)]

    def reset(self) -> None:
        """Forget applications, codes, tokens, clock and switches."""
        with self._database.transaction() as tx:
            tx.run("DELETE FROM applications")  # codes and tokens go with them
            tx.run("DELETE FROM settings WHERE name != 'secret_key'")


def _shown(application: Application) -> dict[str, str]:
    return {"name": application.name, "client_id": application.uid, "redirect_uri": application.redirect_uri}


def _listen(port: int) -> socket.socket:
    if port not in range(65_536):
        raise SandboxError.named("port", port=port)
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as problem:
        raise SandboxError.named("port", port=port) from problem
