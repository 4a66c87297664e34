"""The sandbox's file, an SQLite database that all notebooks on this machine share, with its clock and switches."""

import json
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeVar, cast, get_args, get_type_hints

from redbooth_nb.provider.sandbox.data import SandboxError

BUSY_SECONDS: float = 10.0  # how long one kernel waits for another's write
FORMAT: Final = 1  # PRAGMA user_version: raise it, here and in schema.sql, with every change of the tables
OURS: Final = 0x52424E42  # PRAGMA application_id: tells our file from anybody else's
LONGEST: Final = 100 * 31_557_600  # seconds in a hundred years: the most by which the clock moves or a token lives


@dataclass(frozen=True)
class Switches:
    """A snapshot of the switches; ``Sandbox.switch`` changes them.

    ``refresh_revokes_old``: when a refresh revokes the old pair, "at once" or "on first use" of the new token.
    ``state``: "echoed" as Doorkeeper does, or "dropped" as Redbooth's own page probably does.
    ``style``: answers of Doorkeeper "5.5", or what redbooth.com was recorded to answer in "2015".
    ``token_lifetime``, ``code_lifetime``: seconds, for tokens and codes issued from now on.
    ``rate_limited``: True answers every API call with 429.
    """

    refresh_revokes_old: Literal["at once", "on first use"] = "at once"
    state: Literal["echoed", "dropped"] = "echoed"
    style: Literal["5.5", "2015"] = "5.5"
    token_lifetime: int = 7200
    code_lifetime: int = 600
    rate_limited: Literal[False, True] = False

    @classmethod
    def stored(cls, values: dict[str, Any]) -> "Switches":
        """Read stored switches, leaving out what another version of the kit wrote and this one can't use."""
        return cls(**{name: value for name, value in values.items() if not switch_problem(name, value)})


def switch_problem(name: str, value: object) -> SandboxError | None:
    """Return why this switch can't have this value, or None if it can."""
    known = get_type_hints(Switches)
    if name not in known:
        return SandboxError.named("switch", name=name, known=", ".join(known))
    if choices := [repr(choice) for choice in get_args(known[name])]:
        good, allowed = repr(value) in choices, " or ".join(choices)  # by repr, because 1 == True
    else:
        good, allowed = type(value) is int and 1 <= value <= LONGEST, f"a whole number of seconds from 1 to {LONGEST}"
    return None if good else SandboxError.named("value", name=name, value=value, allowed=allowed)


@dataclass(frozen=True)
class Record:
    """A row of the table named ``table``; a subclass has a field for each of its columns."""

    table: ClassVar[str]
    id: int


R = TypeVar("R", bound=Record)
V = TypeVar("V")


class Transaction:
    """A write lock on the sandbox's file, with the time and the switches at that moment.

    ``now`` is in unix seconds on the sandbox's clock, which is ``offset`` seconds ahead of the machine's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        offset = self.setting("clock_offset", 0.0)
        self.offset = offset if abs(offset) <= LONGEST else 0.0  # an early version let it grow without bounds
        self.now = time.time() + self.offset
        self.switches = Switches.stored(self.setting("switches", dict[str, object]()))

    def run(self, sql: str, *values: object) -> sqlite3.Cursor:
        """Run a statement."""
        return self._connection.execute(sql, values)

    def records(self, kind: type[R], condition: str = "", *values: object) -> list[R]:
        """Return the records of a kind that meet a condition, oldest first."""
        return [kind(**row) for row in self.run(f"SELECT * FROM {kind.table} {condition} ORDER BY id", *values)]

    def find(self, kind: type[R], column: str, value: object) -> R | None:
        """Return the record with this value in a unique column, or None."""
        return next(iter(self.records(kind, f"WHERE {column} = ?", value)), None)

    def insert(self, kind: type[R], **values: object) -> R:
        """Insert a record and return it."""
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

    def set(self, name: str, value: object) -> None:
        """Store a setting; it must be JSON."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))

    def advance(self, seconds: object) -> float:
        """Move the clock by this many seconds; return the new offset. Raises SandboxError for absurd values."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise SandboxError.named("seconds", value=seconds)
        if not abs(seconds) <= 2 * LONGEST or abs(self.offset + seconds) > LONGEST:  # "not" also refuses nan
            raise SandboxError.named("far")
        self.set("clock_offset", self.offset + seconds)
        return self.offset + seconds


class Database:
    """The sandbox's file at ``path``, created with mode 0600 if it's missing. Raises SandboxError if it's unusable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                path.touch(mode=0o600, exist_ok=False)
        except OSError as problem:
            raise SandboxError.named("create", path=self.path, problem=problem.strerror) from problem
        with self._locked() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            ours = connection.execute("PRAGMA application_id").fetchone()[0] == OURS
            if not ours and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise SandboxError.named("foreign", path=self.path)
            if version > FORMAT:
                raise SandboxError.named("newer", path=self.path, version=version, known=FORMAT)
            script = Path(__file__).with_name("mend.sql" if ours else "schema.sql").read_text(encoding="utf-8")
            for statement in script.split(";\n"):
                connection.execute(statement)
            key = json.dumps(secrets.token_hex(32))
            connection.execute("INSERT OR IGNORE INTO settings VALUES ('secret_key', ?)", (key,))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the write lock, so that what is checked stays true until it is acted on. Raises SandboxError."""
        with self._locked() as connection:
            yield Transaction(connection)

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        address = f"{self.path.absolute().as_uri()}?mode=rw"  # rw: a deleted file must not come back empty
        try:
            opened = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
            with closing(opened) as connection, connection:  # the second one commits, or rolls back after an exception
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        except UnicodeEncodeError as problem:
            raise SandboxError.named("text") from problem
        except sqlite3.Error as problem:
            kind = "unusable" if isinstance(problem, sqlite3.OperationalError) else "damaged"
            name = "locked" if re.search("locked|busy", str(problem)) else kind
            raise SandboxError.named(name, path=self.path, problem=problem) from problem
