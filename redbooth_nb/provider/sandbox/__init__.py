"""A stand-in for Redbooth on the learner's own machine: consent page, tokens and API, over one SQLite file.

It answers as Doorkeeper 5.5 does, the engine behind redbooth.com, except where ``differences.toml`` says otherwise.
"""

import logging
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from flask import redirect
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from redbooth_nb import changes
from redbooth_nb.provider.sandbox import database, web
from redbooth_nb.provider.sandbox.data import (
    SETTINGS,
    Application,
    SandboxError,
    Switches,
    Token,
    Transaction,
    switch_problem,
)
from redbooth_nb.provider.sandbox.database import Database
from redbooth_nb.provider.sandbox.endpoints import endpoints
from redbooth_nb.provider.sandbox.pages import pages, problems
from redbooth_nb.provider.sandbox.rules import redirect_uri_allowed

__all__ = ["Sandbox", "SandboxError", "Switches"]

# A short queue or a lost connection is nothing to report in a notebook.
logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def create_app(file: Database) -> web.App:
    app = web.App(__name__)
    new_key = secrets.token_hex(32)
    app.secret_key = file.transact(lambda tx: tx.setting("secret_key", "") or tx.set("secret_key", new_key))
    app.config.update(SETTINGS["flask"], DATABASE=file)
    app.url_map.strict_slashes = False  # one public client posts to /oauth2/token/
    app.register_blueprint(pages)
    app.register_blueprint(endpoints)
    app.add_url_rule("/", "home", lambda: redirect("oauth2/applications"))
    app.add_url_rule("/session", view_func=web.switch_person, methods=["POST"])
    app.add_url_rule("/clock", view_func=web.clock, methods=["GET", "POST"])
    app.before_request(web.refuse_strangers)
    app.before_request(web.refuse_forgeries)
    app.after_request(web.protect)
    app.context_processor(web.page_values)
    app.register_error_handler(HTTPException, web.http_problem)
    app.register_error_handler(SandboxError, lambda problem: web.http_problem(ServiceUnavailable(str(problem))))
    return app


class Sandbox:
    """The practice Redbooth over ``file`` (created if it's missing); several kernels may share one file.

    ``app`` is its web application. It listens only after ``start``, on 127.0.0.1 and the first of ``ports`` that is
    free (0: any). Its methods raise SandboxError.
    """

    def __init__(self, file: Path, *ports: int) -> None:
        self._database = Database(file)
        self._ports = ports or (8764, 0)
        self.listening = ""  # the address, once it does
        self._listener = ExitStack()
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
                self._listener.callback(thread.join)  # what is done to stop it, from the last line to the first
                self._listener.enter_context(suppress(OSError))  # a request that just ended can be the first to wake it
                # in the server's own thread, which ends when nothing is left to wait for
                self._listener.callback(server.trigger.pull_trigger, lambda: wasyncore.close_all(connections))
                self._listener.callback(server.task_dispatcher.shutdown, timeout=1)
                self.listening = f"http://127.0.0.1:{server.effective_port}"
            return self.listening

    def stop(self) -> None:
        """Stop serving and leave no thread behind; what was registered and granted stays in the file."""
        with database.turn:
            listener, self.listening = self._listener.pop_all(), ""
        listener.close()
        database.close_kept()

    def _socket(self) -> socket.socket:
        for port in self._ports:
            with suppress(OSError):
                if port in range(65_536):
                    return socket.create_server(("127.0.0.1", port))
        raise SandboxError.named("sandbox_port", port=self._ports[0])

    def now(self) -> float:
        """Return the sandbox's time in Unix seconds, which is the same for all kernels on this file."""
        return self._database.transact(lambda tx: tx.now)

    def advance(self, seconds: float) -> None:
        """Move the clock by this many seconds (back if negative), within 100 years of the machine's time."""
        self._change(lambda tx: tx.advance(seconds))

    def reset_clock(self) -> None:
        self._change(lambda tx: tx.set("clock_offset", 0.0))

    @property
    def switches(self) -> Switches:
        return self._database.transact(lambda tx: tx.switches)

    def switch(self, **changes: object) -> None:
        """Change switches, for example ``switch(token_lifetime=60)``; see ``settings.toml`` for names and values."""
        for problem in filter(None, map(switch_problem, changes, changes.values())):
            raise problem
        self._change(lambda tx: tx.set("switches", vars(tx.switches) | changes))

    def seed_application(
        self, name: str, redirect_uri: str, *, client_id: str | None = None, client_secret: str | None = None
    ) -> dict[str, str]:
        """Register an application, or update the one with this client id; return its credentials.

        Without a client id or secret, it gets random ones.
        """
        values = {"name": name, "redirect_uri": redirect_uri, "scopes": "", "confidential": True}
        for field, problem in problems(values).items():
            raise SandboxError.named("sandbox_application", name=name, field=field, problem=problem.rstrip("."))
        values |= {name: value for name, value in {"uid": client_id, "secret": client_secret}.items() if value}
        saved = self._database.transact(lambda tx: tx.save_application(tx.find(Application, "uid", client_id), values))
        return {"client_id": saved.uid, "redirect_uri": saved.redirect_uri, "client_secret": saved.secret}

    def wrong_field(self, client_id: str, client_secret: str, redirect_uri: str) -> str:
        """Return the name of the first value that does not fit a registered application, or an empty string."""
        found = self._database.transact(lambda tx: tx.find(Application, "uid", client_id))
        if found is None:
            return "client_id"
        if found.secret != client_secret:
            return "client_secret"
        return "" if redirect_uri_allowed(redirect_uri, found.redirect_uri) else "redirect_uri"

    def revoked(self, access_token: str) -> bool:
        """Tell whether a token was revoked or forgotten, unlike one that has only expired."""

        def look(tx: Transaction) -> bool:
            found = tx.find(Token, "token", access_token)
            return found is None or found.revoked(tx.now)

        return self._database.transact(look)

    def reset(self) -> None:
        """Forget the applications (with their codes and tokens), the clock and the switches."""
        everything = ("DELETE FROM applications", "DELETE FROM settings WHERE name != 'secret_key'")
        self._change(lambda tx: [tx.run(sql) for sql in everything])

    def _change(self, work: Callable[[Transaction], object]) -> None:
        self._database.transact(work)
        changes.announce()
