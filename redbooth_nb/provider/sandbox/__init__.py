"""A stand-in for Redbooth on the learner's own machine: consent page, tokens and API, over one SQLite file.

It answers as Doorkeeper 5.5 does, the engine behind redbooth.com, except where ``differences.toml`` says otherwise.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from redbooth_nb import changes
from redbooth_nb.provider.sandbox.applications import problems
from redbooth_nb.provider.sandbox.data import SandboxError, Switches, switch_problem
from redbooth_nb.provider.sandbox.database import Database, Transaction, close_kept
from redbooth_nb.provider.sandbox.records import Application, save_application
from redbooth_nb.provider.sandbox.web import create_app

__all__ = ["Sandbox", "SandboxError", "Switches"]

_turn = threading.Lock()  # so that a double click starts only one
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=lambda: globals().update(_turn=threading.Lock()))


class Sandbox:
    """The practice Redbooth over ``file`` (created if it's missing); several kernels may share one file.

    ``app`` is its web application. It listens only after ``start``, on 127.0.0.1 and the first of ``ports`` that is
    free (0: any). Its methods raise SandboxError.
    """

    def __init__(self, file: Path, *ports: int) -> None:
        self._database = Database(file)
        self._ports = ports or (8764, 0)
        self.listening = ""  # the address, once it does
        self.app = create_app(self._database)

    def start(self) -> str:
        """Serve in the background; return the address."""
        from redbooth_nb.provider.sandbox.listener import listen  # brings a web server

        with _turn:
            if not self.listening:
                self.listening, self._stop = listen(self.app, *self._ports)
            return self.listening

    def stop(self) -> None:
        """Stop serving and leave no thread behind; what was registered and granted stays in the file."""
        with _turn:
            if self.listening:
                self._stop()
            self.listening = ""
        close_kept()

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
            raise SandboxError.named("application", name=name, field=field, problem=problem.rstrip("."))
        values |= {"uid": client_id or None, "secret": client_secret or None}
        saved = self._database.transact(lambda tx: save_application(tx, tx.find(Application, "uid", client_id), values))
        return {"client_id": saved.uid, "redirect_uri": saved.redirect_uri, "client_secret": saved.secret}

    def reset(self) -> None:
        """Forget applications, codes, tokens, clock and switches."""

        def forget(tx: Transaction) -> None:
            tx.run("DELETE FROM applications")  # codes and tokens go with them
            tx.run("DELETE FROM settings WHERE name != 'secret_key'")

        self._change(forget)

    def _change(self, work: Callable[[Transaction], object]) -> None:
        self._database.transact(work)
        changes.announce()
