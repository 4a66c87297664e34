"""A stand-in for Redbooth on the learner's own machine: consent page, tokens and API, over one SQLite file.

It answers as Doorkeeper 5.5 does, the engine behind redbooth.com, except where ``differences.py`` says otherwise.
"""

import threading
from pathlib import Path
from typing import Any

from redbooth_nb.provider.sandbox import records
from redbooth_nb.provider.sandbox.applications import problems
from redbooth_nb.provider.sandbox.database import Database
from redbooth_nb.provider.sandbox.errors import SandboxError
from redbooth_nb.provider.sandbox.listener import Listener
from redbooth_nb.provider.sandbox.switches import Switches
from redbooth_nb.provider.sandbox.web import create_app

__all__ = ["Sandbox", "SandboxError", "Switches"]


class Sandbox:
    """The practice Redbooth over ``file`` (created where there is none); several kernels may share one file.

    It listens only after ``start``, on 127.0.0.1 and ``port`` (0: any free one). Everything here raises SandboxError
    with what happened, why, and what to do.
    """

    def __init__(self, file: Path, port: int = 8764) -> None:
        self._database = Database(Path(file))
        self._port = port
        self._listener: Listener | None = None
        self._turn = threading.Lock()  # a double click starts one

    def start(self, *, strict_port: bool = False) -> None:
        """Serve in the background; on a busy port take another one, or with ``strict_port`` raise SandboxError."""
        with self._turn:
            if self._listener:
                return
            app = create_app(self._database)
            try:
                self._listener = Listener(app, self._port)
            except SandboxError:
                if strict_port:
                    raise
                self._listener = Listener(app, 0)

    def stop(self) -> None:
        """Stop serving; what was registered and granted stays in the file."""
        with self._turn:
            if self._listener:
                self._listener.stop()
                self._listener = None

    @property
    def base_url(self) -> str:
        """Where it listens, for example ``http://127.0.0.1:8764``."""
        if self._listener is None:
            raise SandboxError("The sandbox has no address yet, because it is not running. Call start() first.")
        return f"http://127.0.0.1:{self._listener.port}"

    def now(self) -> float:
        """Return the sandbox's time in unix seconds; every kernel on this file sees the same."""
        with self._database.transaction() as at:
            return at.now

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds, for example past a token's lifetime."""
        with self._database.transaction() as at:
            at.set("clock_offset", at.setting("clock_offset", 0.0) + float(seconds))

    def reset_clock(self) -> None:
        """Set the clock to the machine's time."""
        with self._database.transaction() as at:
            at.set("clock_offset", 0.0)

    @property
    def switches(self) -> Switches:
        """The switches as they stand."""
        with self._database.transaction() as at:
            return at.switches

    def switch(self, **changes: Any) -> None:  # noqa: ANN401 - Switches checks each value
        """Change switches, for example ``switch(token_lifetime=60)``; see Switches for names and values."""
        with self._database.transaction() as at:
            at.change_switches(**changes)

    def seed_application(
        self,
        name: str,
        redirect_uri: str,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        confidential: bool = True,
    ) -> dict[str, str]:
        """Register an application, or bring the one with this client id up to date; return its credentials.

        Without ``client_id`` and ``client_secret`` it gets random ones. ``redirect_uri`` may hold several,
        separated by white space.
        """
        values = {"name": name, "redirect_uri": redirect_uri, "scopes": "", "confidential": confidential}
        wrong = problems(values)
        if wrong:
            field, sentence = next(iter(wrong.items()))
            raise SandboxError(
                f"The application {name!r} was not registered: its {field} {sentence.rstrip('.')}. "
                "An example: seed_application('My app', 'http://127.0.0.1:8765/callback')."
            )
        with self._database.transaction() as at:
            known = records.application(at, uid=client_id) if client_id else None
            number = records.save_application(
                at, {**values, "uid": client_id, "secret": client_secret}, known.id if known else None
            )
            saved = records.application(at, id_=number)
        assert saved is not None  # noqa: S101 - it was saved in the same transaction
        return {**_shown(saved), "client_secret": saved.secret}

    def applications(self) -> list[dict[str, str]]:
        """Return the registered applications, oldest first, without their secrets."""
        with self._database.transaction() as at:
            rows = at.all("SELECT * FROM applications ORDER BY id")
        return [_shown(records.Application(**row)) for row in rows]

    def reset(self) -> None:
        """Forget applications, codes, tokens, clock and switches."""
        with self._database.transaction() as at:
            at.run("DELETE FROM applications")  # codes and tokens go with them
            at.run("DELETE FROM settings WHERE name != 'secret_key'")


def _shown(application: records.Application) -> dict[str, str]:
    return {"name": application.name, "client_id": application.uid, "redirect_uri": application.redirect_uri}
