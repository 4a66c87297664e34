"""What the sandbox says and serves, read from the files beside this one, and what it remembers in its file."""

import json
import secrets
import sqlite3
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Final, TypeVar, cast

from redbooth_nb.errors import RedboothError

R = TypeVar("R", bound="Record")
V = TypeVar("V")
_HERE = Path(__file__).parent
SENTENCES: Final[dict[str, dict[str, str]]] = tomllib.loads((_HERE / "sentences.toml").read_text(encoding="utf-8"))
SETTINGS: Final[dict[str, dict[str, Any]]] = tomllib.loads((_HERE / "settings.toml").read_text(encoding="utf-8"))
DIFFERENCES: Final[dict[str, dict[str, Any]]] = tomllib.loads((_HERE / "differences.toml").read_text(encoding="utf-8"))
TOKEN_TYPE: Final[str] = DIFFERENCES["token_type"]["sandbox"]
_SEED: Final[dict[str, Any]] = json.loads((_HERE / "seed.json").read_text(encoding="utf-8"))
FILTERS: Final[dict[str, str]] = _SEED["filters"]  # parameter of the API: field of a row
ROWS: Final = {kind: [{**pattern, **row} for row in _SEED[kind]] for kind, pattern in _SEED["patterns"].items()}
SWITCHES: Final[dict[str, list[Any]]] = SETTINGS["switches"]
LONGEST: Final = 100 * 31_557_600  # seconds in a hundred years: the farthest the clock may move
PEOPLE: Final[list[dict[str, Any]]] = ROWS["people"]


def person(number: int) -> dict[str, Any]:
    """Return the person with this id, or the first one."""
    return next((found for found in PEOPLE if found["id"] == number), PEOPLE[0])


class SandboxError(RedboothError):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""


class Switches(SimpleNamespace):
    """A snapshot of the switches, which ``settings.toml`` lists; ``Sandbox.switch`` changes them."""

    def __init__(self, **changed: object) -> None:
        super().__init__(**{name: values[0] for name, values in SWITCHES.items()} | changed)


def switch_problem(name: str, value: object) -> SandboxError | None:
    """Return why this switch can't have this value, or None if it can."""
    choices = [repr(choice) for choice in SWITCHES.get(name, [])]
    if not choices:
        return SandboxError.named("sandbox_switch", name=name, known=", ".join(SWITCHES))
    if len(choices) > 1:
        good, allowed = repr(value) in choices, " or ".join(choices)  # by repr, because 1 == True
    else:
        good, allowed = type(value) is int and 1 <= value <= LONGEST, f"a whole number of seconds from 1 to {LONGEST}"
    return None if good else SandboxError.named("sandbox_value", name=name, value=value, allowed=allowed)


class Record(SimpleNamespace):
    """A row of the table named ``table``; its attributes are the columns (schema.sql). Its repr shows no secrets."""

    table: ClassVar[str]
    __repr__ = object.__repr__


class Application(Record):
    table = "applications"


class _Issued(Record):
    def revoked(self, now: float) -> bool:
        return self.revoked_at is not None and bool(self.revoked_at <= now)

    def accessible(self, now: float) -> bool:
        return not self.revoked(now) and bool(now <= self.created_at + self.expires_in)


class Code(_Issued):
    table = "codes"


class Token(_Issued):
    table = "tokens"

    def remaining(self, now: float) -> int:
        """Return the seconds until it expires, never negative."""
        return int(max(0, round(self.created_at + self.expires_in - now)))


class Transaction:
    """A write lock in the sandbox's file, with the time and the switches at that moment.

    ``now`` is in Unix seconds in the sandbox's clock, which is ``offset`` seconds ahead of the machine's.
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

    def authenticated(self, uid: str, secret: str | None) -> Application | None:
        """Find an application by client id and secret; a public client needs no secret (RFC 6749 section 2.3.1)."""
        found = self.find(Application, "uid", uid)
        if found and (secret or found.confidential):
            return found if secrets.compare_digest((secret or "").encode(), found.secret.encode()) else None
        return found

    def save_application(self, known: Application | None, values: dict[str, Any]) -> Application:
        """Register an application, or change a known one. A new one gets a client id and secret if it has none."""
        if known:
            return self.update(known, updated_at=self.now, **values)
        random = {"uid": secrets.token_hex(32), "secret": secrets.token_hex(32)}
        return self.insert(Application, **random | values, created_at=self.now, updated_at=self.now)

    def issue(self, kind: type[R], **values: object) -> R:
        """Issue a code or a token, for as long as the switches say unless ``values`` say otherwise."""
        name = kind.table.removesuffix("s")
        lifetime = getattr(self.switches, f"{name}_lifetime")
        return self.insert(kind, **{name: self._random(), "expires_in": lifetime, "created_at": self.now} | values)

    def issue_pair(self, source: Code | Token, scopes: str) -> Token:
        """Issue a new pair from a code, or from the pair before it, whose lifetime it inherits."""
        values = {"application_id": source.application_id, "user_id": source.user_id, "scopes": scopes}
        values |= {"refresh_token": self._random(), "previous_refresh_token": ""}
        if isinstance(source, Token):
            values["expires_in"] = source.expires_in
            if self.switches.refresh_revokes_old == "on first use":
                values["previous_refresh_token"] = source.refresh_token
        return self.issue(Token, **values)

    def use_token(self, value: str) -> Token | None:
        """Find the pair an API call presents; with the switch "on first use", this revokes the pair before it."""
        found = self.find(Token, "token", value)
        if found and found.previous_refresh_token:
            self.run("UPDATE tokens SET revoked_at = ? WHERE refresh_token = ?", self.now, found.previous_refresh_token)
            self.update(found, previous_refresh_token="")
        return found

    def _random(self) -> str:
        return secrets.token_hex(32) if self.switches.style == "2015" else secrets.token_urlsafe(32)
