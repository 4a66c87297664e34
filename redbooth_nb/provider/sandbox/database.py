"""The sandbox's file: one SQLite database, shared by every notebook's kernel on this machine."""

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from redbooth_nb.provider.sandbox.errors import SandboxError
from redbooth_nb.provider.sandbox.switches import Switches

BUSY_SECONDS: float = 10.0  # how long one kernel waits for another's write
FORMAT: Final = 1  # PRAGMA user_version: raise it with every change of the tables
OURS: Final = 0x52424E42  # PRAGMA application_id: tells our file from anybody else's

_TABLES: Final = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE applications (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, uid TEXT NOT NULL UNIQUE, secret TEXT NOT NULL,
        redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, confidential INTEGER NOT NULL,
        created_at REAL NOT NULL, updated_at REAL NOT NULL)""",
    """CREATE TABLE codes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE,
        application_id INTEGER NOT NULL REFERENCES applications ON DELETE CASCADE, user_id INTEGER NOT NULL,
        redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, code_challenge TEXT NOT NULL,
        code_challenge_method TEXT NOT NULL, expires_in INTEGER NOT NULL, created_at REAL NOT NULL, revoked_at REAL)""",
    """CREATE TABLE tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, refresh_token TEXT UNIQUE,
        previous_refresh_token TEXT NOT NULL,
        application_id INTEGER NOT NULL REFERENCES applications ON DELETE CASCADE, user_id INTEGER NOT NULL,
        scopes TEXT NOT NULL, expires_in INTEGER NOT NULL, created_at REAL NOT NULL, revoked_at REAL)""",
)


class Transaction:
    """One moment of the sandbox: a write lock, the time it is there, and the switches as they stand.

    ``now`` is in unix seconds on the sandbox's clock.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.now: float = time.time() + float(self.setting("clock_offset", 0.0))
        self.switches = Switches(**self.setting("switches", {}))

    def all(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Run a query and return every row."""
        return [dict(row) for row in self._connection.execute(sql, values)]

    def one(self, sql: str, *values: object) -> dict[str, Any] | None:
        """Run a query and return its first row, or None."""
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else dict(row)

    def run(self, sql: str, *values: object) -> int:
        """Run a statement and return the id of the row it inserted."""
        return self._connection.execute(sql, values).lastrowid or 0

    def setting(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - settings hold any JSON value
        """Return a setting, or the default."""
        row = self.one("SELECT value FROM settings WHERE name = ?", name)
        return default if row is None else json.loads(row["value"])

    def set(self, name: str, value: object) -> None:
        """Store a setting; it must be JSON."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))

    def change_switches(self, **changes: object) -> None:
        """Check and store changed switches."""
        self.set("switches", asdict(self.switches.changed(**changes)))


class Database:
    """The sandbox's file at ``path``, created 0600 where there is none. Raises SandboxError when it can't be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as problem:
            raise SandboxError(
                f"The sandbox can't create its file {path}: {problem.strerror}. "
                "Choose a folder you may write to with REDBOOTH_STATE_DIR."
            ) from problem
        with self._connect() as connection:
            self._prepare(connection)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the file's write lock, so that what is checked is still true when it is acted on.

        Raises SandboxError when the file is locked, damaged or gone.
        """
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        address = f"{self.path.absolute().as_uri()}?mode=rw"  # rw: a deleted file must not come back empty
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA foreign_keys = ON")
                yield connection
        except sqlite3.Error as problem:
            raise SandboxError(self._sentence(problem)) from problem

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == OURS
        empty = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if not ours and not empty:
            raise SandboxError(
                f"{self.path} holds somebody else's database, so the sandbox left it alone. "
                "Give the sandbox a file of its own."
            )
        if version > FORMAT:
            raise SandboxError(
                f"{self.path} was written by a newer version of this kit (format {version}, this one reads {FORMAT}). "
                "Update the kit, or move the file away to start with a fresh sandbox."
            )
        if empty:
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO settings VALUES ('secret_key', ?)", (json.dumps(secrets.token_hex(32)),))
            connection.execute(f"PRAGMA application_id = {OURS}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")

    def _sentence(self, problem: sqlite3.Error) -> str:
        if "locked" in str(problem) or "busy" in str(problem):
            return (
                f"The sandbox's file {self.path} is locked by another program. "
                "Close the program that holds it (a database browser?), then try again."
            )
        if isinstance(problem, sqlite3.OperationalError):
            return (
                f"The sandbox can't use its file {self.path}: {problem}. "
                "If you deleted or moved it, start the sandbox again; it begins afresh."
            )
        return (
            f"The sandbox's file {self.path} is damaged or not a sandbox file ({problem}). It was left as it is. "
            "Move it away and start again; the sandbox begins afresh."
        )
