"""The sandbox's file, an SQLite database that all notebooks on this machine share, and its lock."""

import atexit
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from redbooth_nb.provider.sandbox.data import SandboxError, Transaction, V

BUSY_SECONDS: float = 10.0  # how long one kernel waits for another's write
HEARD_SECONDS: Final = 0.5  # how long SQLite waits at a time: it doesn't hear Ctrl-C
FORMAT: Final = 2  # PRAGMA user_version: raise it, here and in mend.sql, with every change of tables or indexes
OURS: Final = 0x52424E42  # PRAGMA application_id: tells our file from anybody else's


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
                while True:
                    try:
                        connection.execute("BEGIN IMMEDIATE")
                        break
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
            # Only a power failure can damage the file. A WAL would outlive it and be taken for part of the next one.
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
        after_in_parent=lambda: turn.release(),  # a child that forks has a lock of its own
        # If Ctrl-C ended the wait, another thread has the lock, and a connection that must stay open.
        after_in_child=lambda: globals().update(turn=threading.RLock(), _kept={}, _parents=_kept),
    )
