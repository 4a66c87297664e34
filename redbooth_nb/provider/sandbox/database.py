"""The sandbox's file, an SQLite database that all notebooks on this machine share, and the clock in it."""

import atexit
import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Final, TypeVar, cast

from redbooth_nb.provider.sandbox.data import LONGEST, SandboxError, Switches, switch_problem

BUSY_SECONDS: float = 10.0  # how long one kernel waits for another's write
HEARD_SECONDS: Final = 0.5  # how long SQLite waits at a time: it doesn't hear Ctrl-C
FORMAT: Final = 2  # PRAGMA user_version: raise it, here and in mend.sql, with every change of tables or indexes
OURS: Final = 0x52424E42  # PRAGMA application_id: tells our file from anybody else's


class Record(SimpleNamespace):
    """A row of the table named ``table``; its attributes are the columns (schema.sql). Its repr shows no secrets."""

    table: ClassVar[str]
    __repr__ = object.__repr__


R = TypeVar("R", bound=Record)
V = TypeVar("V")


class Transaction:
    """A write lock in the sandbox's file, with the time and the switches at that moment.

    ``now`` is in unix seconds in the sandbox's clock, which is ``offset`` seconds ahead of the machine's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        offset = self.setting("clock_offset", 0.0)
        self.offset = offset if abs(offset) <= LONGEST else 0.0  # an early version let it grow without bounds
        self.now = time.time() + self.offset
        stored: dict[str, Any] = self.setting("switches", {})  # perhaps by a version of the kit that knows others
        self.switches = Switches(**{name: value for name, value in stored.items() if not switch_problem(name, value)})

    def run(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def records(self, kind: type[R], condition: str = "", *values: object) -> list[R]:
        """Return the records of a kind that meet a condition, oldest first."""
        return [kind(**row) for row in self.run(f"SELECT * FROM {kind.table} {condition} ORDER BY id", *values)]

    def find(self, kind: type[R], column: str, value: object) -> R | None:
        """Return the record with this value in a unique column, or None."""
        return next(iter(self.records(kind, f"WHERE {column} = ?", value)), None)

    def insert(self, kind: type[R], **values: object) -> R:
        marks = ", ".join("?" * len(values))
        added = self.run(f"INSERT INTO {kind.table} ({', '.join(values)}) VALUES ({marks})", *values.values())
        return self.records(kind, "WHERE id = ?", added.lastrowid)[0]

    def update(self, record: R, **values: object) -> R:
        """Change a record and return it as it now is."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self.run(f"UPDATE {record.table} SET {columns} WHERE id = ?", *values.values(), record.id)
        return self.records(type(record), "WHERE id = ?", record.id)[0]

    def setting(self, name: str, default: V) -> V:
        """Return a setting, or the default. Raises sqlite3.DatabaseError for a value of another kind."""
        row = self.run("SELECT value FROM settings WHERE name = ?", name).fetchone()
        with suppress(ValueError, TypeError, RecursionError):
            value: Any = json.loads(row["value"]) if row else default
            if isinstance(value, int | float if isinstance(default, float) else type(default)):
                return cast(V, value)
        raise sqlite3.DatabaseError(f"its setting {name} can't be read")

    def set(self, name: str, value: V) -> V:
        """Store a setting, which must be JSON, and return it."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))
        return value

    def advance(self, seconds: object) -> float:
        """Move the clock by this many seconds; return the new offset. Raises SandboxError for absurd values."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise SandboxError.named("sandbox_seconds", value=seconds)
        if not abs(seconds) <= 2 * LONGEST or abs(self.offset + seconds) > LONGEST:  # "not" also refuses nan
            raise SandboxError.named("sandbox_far")
        return self.set("clock_offset", self.offset + seconds)


class Database:
    """The sandbox's file at ``path``, created with mode 0600 if it's missing. Raises SandboxError if it's unusable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as problem:
            raise SandboxError.named("sandbox_create", path=self.path, problem=problem.strerror) from problem
        self.transact(lambda _: None)  # which checks the file

    def transact(self, work: Callable[[Transaction], V]) -> V:
        """Do this under the write lock, so that what it checks stays true until it acts on it. Raises SandboxError."""
        try:
            # Both exit in C: Ctrl-C before the first line of an __exit__ in Python would leave everything locked.
            with turn, self._connection() as connection:  # commits, or rolls back after an exception
                end = time.monotonic() + BUSY_SECONDS
                while not connection.in_transaction:
                    try:
                        connection.execute("BEGIN IMMEDIATE")
                    except sqlite3.OperationalError as problem:
                        if problem.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                            raise
                self._bring_up_to_date(connection)
                return work(Transaction(connection))
        except UnicodeEncodeError as problem:
            raise SandboxError.named("sandbox_text") from problem
        except (sqlite3.Error, OSError) as problem:
            close_kept()  # a new connection may do better
            kind = "unusable" if isinstance(problem, sqlite3.OperationalError | OSError) else "damaged"
            name = "locked" if re.search("locked|busy", str(problem)) else kind
            raise SandboxError.named(f"sandbox_{name}", path=self.path, problem=problem) from problem

    def _connection(self) -> sqlite3.Connection:
        """Return the kept connection, or a new one if the file at the path is not the one it was opened for."""
        found = self.path.stat()
        identity = found.st_dev, found.st_ino
        if identity not in _kept:
            close_kept()
            address = f"{self.path.absolute().as_uri()}?mode=rw"  # rw: a deleted file must not come back empty
            opened = _kept[identity] = sqlite3.connect(  # kept at once: whatever fails next, it is closed
                address, timeout=HEARD_SECONDS, isolation_level=None, check_same_thread=False, uri=True
            )
            opened.row_factory = sqlite3.Row
            opened.execute("PRAGMA foreign_keys = ON")
            # Only a power cut can damage the file. A WAL would outlive it, and pass for a part of the next one.
            opened.execute("PRAGMA synchronous = OFF")
        return _kept[identity]

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Create the tables in an empty file, and change those of an older one."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == OURS
        if not ours and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise SandboxError.named("sandbox_foreign", path=self.path)
        if version > FORMAT:
            raise SandboxError.named("sandbox_newer", path=self.path, version=version, known=FORMAT)
        for script in ["schema.sql"] * (not ours) + ["mend.sql"] * (version < FORMAT):
            for statement in Path(__file__).with_name(script).read_text(encoding="utf-8").split(";\n"):
                connection.execute(statement)


turn = threading.RLock()
_kept: dict[tuple[int, int], sqlite3.Connection] = {}  # at most one in a process, by the device and inode of its file


def close_kept() -> None:
    """Close this process's connection; the next transaction opens another."""
    with turn, suppress(KeyError):  # there may be none
        _kept.popitem()[1].close()


def _before_fork() -> None:
    turn.acquire()  # once the transaction of another thread is over
    close_kept()  # a child may neither use nor close its parent's


atexit.register(close_kept)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: turn.release(),  # noqa: PLW0108  # a child that forks has a lock of its own
        # If Ctrl-C ended the wait, another thread has the lock, and a connection that must stay open.
        after_in_child=lambda: globals().update(turn=threading.RLock(), _kept={}, _parents=_kept),
    )
