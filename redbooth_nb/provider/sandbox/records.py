"""What the sandbox remembers: applications, authorization codes, and pairs of access and refresh token."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from redbooth_nb.provider.sandbox.database import Transaction


@dataclass(frozen=True)
class Application:
    """A registered application (RFC 6749 section 2). ``redirect_uri`` may hold several, separated by white space."""

    id: int
    name: str
    uid: str
    secret: str = field(repr=False)
    redirect_uri: str
    scopes: str
    confidential: int
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class _Issued:
    """What a code and a token have in common. Times are unix seconds on the sandbox's clock."""

    id: int
    application_id: int
    user_id: int
    scopes: str
    expires_in: int
    created_at: float
    revoked_at: float | None

    def revoked(self, now: float) -> bool:
        """Tell whether it was revoked."""
        return self.revoked_at is not None and self.revoked_at <= now

    def expired(self, now: float) -> bool:
        """Tell whether its lifetime is over."""
        return now > self.created_at + self.expires_in

    def accessible(self, now: float) -> bool:
        """Tell whether it may be used: neither expired nor revoked."""
        return not self.expired(now) and not self.revoked(now)


@dataclass(frozen=True)
class Code(_Issued):
    """An authorization code, bound to an application, a redirect URI and perhaps a PKCE challenge."""

    code: str = field(repr=False)
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str


@dataclass(frozen=True)
class Token(_Issued):
    """An access token and, except from the implicit flow, its refresh token."""

    token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    previous_refresh_token: str = field(repr=False)

    def remaining(self, now: float) -> int:
        """Return the seconds it is still good for, never negative."""
        return max(0, round(self.created_at + self.expires_in - now))


def application(at: Transaction, *, uid: str = "", id_: int = 0) -> Application | None:
    """Find an application by its client id, or by its number."""
    row = at.one("SELECT * FROM applications WHERE uid = ? OR id = ?", uid, id_)
    return Application(**row) if row else None


def authenticated(at: Transaction, uid: str, secret: str | None) -> Application | None:
    """Find an application by its client id and secret; a public one needs no secret (RFC 6749 section 2.3.1)."""
    found = application(at, uid=uid) if uid else None
    if found is None or (not secret and not found.confidential):
        return found
    matches = secret is not None and secrets.compare_digest(secret.encode(), found.secret.encode())
    return found if matches else None


def save_application(at: Transaction, values: dict[str, Any], id_: int | None = None) -> int:
    """Register an application, or change the one with this number; return its number."""
    if id_ is None:
        return at.run(
            "INSERT INTO applications (name, uid, secret, redirect_uri, scopes, confidential, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values["name"], values.get("uid") or secrets.token_hex(32), values.get("secret") or secrets.token_hex(32),
            values["redirect_uri"], values["scopes"], int(values["confidential"]), at.now, at.now,
        )  # fmt: skip
    at.run(
        "UPDATE applications SET name = ?, redirect_uri = ?, scopes = ?, confidential = ?, updated_at = ?,"
        " secret = coalesce(?, secret) WHERE id = ?",
        values["name"], values["redirect_uri"], values["scopes"], int(values["confidential"]), at.now,
        values.get("secret"), id_,
    )  # fmt: skip
    return id_


def code(at: Transaction, value: str) -> Code | None:
    """Find an authorization code."""
    row = at.one("SELECT * FROM codes WHERE code = ?", value)
    return Code(**row) if row else None


def issue_code(at: Transaction, values: dict[str, Any]) -> str:
    """Issue an authorization code for ``code_lifetime`` seconds and return it."""
    value = _random(at)
    at.run(
        "INSERT INTO codes (code, application_id, user_id, redirect_uri, scopes, code_challenge,"
        " code_challenge_method, expires_in, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        value, values["application_id"], values["user_id"], values["redirect_uri"], values["scopes"],
        values["code_challenge"], values["code_challenge_method"], at.switches.code_lifetime, at.now,
    )  # fmt: skip
    return value


def token(at: Transaction, value: str) -> Token | None:
    """Find a pair by its access token."""
    row = at.one("SELECT * FROM tokens WHERE token = ?", value)
    return Token(**row) if row else None


def token_by_refresh_token(at: Transaction, value: str) -> Token | None:
    """Find a pair by its refresh token."""
    row = at.one("SELECT * FROM tokens WHERE refresh_token = ?", value)
    return Token(**row) if row else None


def issue_token(at: Transaction, source: Code | Token, scopes: str) -> Token:
    """Issue a new pair from a code, or from the pair it succeeds (whose lifetime it takes over)."""
    lifetime, previous = at.switches.token_lifetime, ""
    if isinstance(source, Token):
        lifetime = source.expires_in
        if at.switches.refresh_revokes_old == "on first use":
            previous = source.refresh_token or ""
    return _added(at, (_random(at), previous, source.application_id, source.user_id, scopes, lifetime))


def issue_implicit_token(at: Transaction, application_id: int, user_id: int, scopes: str) -> Token:
    """Issue an access token without a refresh token (RFC 6749 section 4.2)."""
    return _added(at, (None, "", application_id, user_id, scopes, at.switches.token_lifetime))


def _added(at: Transaction, values: tuple[object, ...]) -> Token:
    value = _random(at)
    at.run(
        "INSERT INTO tokens (token, refresh_token, previous_refresh_token, application_id, user_id, scopes,"
        " expires_in, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        value, *values, at.now,
    )  # fmt: skip
    found = token(at, value)
    assert found is not None  # noqa: S101 - it was inserted just above
    return found


def use_token(at: Transaction, value: str) -> Token | None:
    """Find the pair an API call presents; where the old pair dies on first use of the new one, it dies here."""
    found = token(at, value)
    if found and found.previous_refresh_token:
        at.run("UPDATE tokens SET revoked_at = ? WHERE refresh_token = ?", at.now, found.previous_refresh_token)
        at.run("UPDATE tokens SET previous_refresh_token = '' WHERE id = ?", found.id)
    return found


def revoke(at: Transaction, record: Code | Token) -> None:
    """Revoke a code, or a pair of tokens."""
    table = "codes" if isinstance(record, Code) else "tokens"
    at.run(f"UPDATE {table} SET revoked_at = ? WHERE id = ?", at.now, record.id)  # noqa: S608 - one of two literals


def _random(at: Transaction) -> str:
    return secrets.token_hex(32) if at.switches.style == "2015" else secrets.token_urlsafe(32)
