"""What the sandbox remembers: applications, authorization codes, and pairs of access and refresh token."""

import secrets
from typing import Any

from redbooth_nb.provider.sandbox.database import R, Record, Transaction


class Application(Record):
    table = "applications"


class _Issued(Record):
    def revoked(self, now: float) -> bool:
        return self.revoked_at is not None and bool(self.revoked_at <= now)

    def accessible(self, now: float) -> bool:
        """Tell whether it may be used: neither expired nor revoked."""
        return not self.revoked(now) and bool(now <= self.created_at + self.expires_in)


class Code(_Issued):
    table = "codes"


class Token(_Issued):
    """An access token and, except in the implicit flow, its refresh token."""

    table = "tokens"

    def remaining(self, now: float) -> int:
        """Return the seconds until it expires, never negative."""
        return int(max(0, round(self.created_at + self.expires_in - now)))


def authenticated(tx: Transaction, uid: str, secret: str | None) -> Application | None:
    """Find an application by its client id and secret; a public client needs no secret (RFC 6749 section 2.3.1)."""
    found = tx.find(Application, "uid", uid)
    if found and (secret or found.confidential):
        return found if secrets.compare_digest((secret or "").encode(), found.secret.encode()) else None
    return found


def save_application(tx: Transaction, known: Application | None, values: dict[str, Any]) -> Application:
    """Register an application, or change a known one. A new one gets a random client id and secret if it has none."""
    if known:
        return tx.update(known, updated_at=tx.now, **values)
    random = {"uid": secrets.token_hex(32), "secret": secrets.token_hex(32)}
    return tx.insert(Application, **random | values, created_at=tx.now, updated_at=tx.now)


def issue(tx: Transaction, kind: type[R], **values: object) -> R:
    """Issue a code or a token, for as long as the switches say unless ``values`` say otherwise."""
    name = kind.table.removesuffix("s")
    made = {name: _random(tx), "expires_in": getattr(tx.switches, f"{name}_lifetime"), "created_at": tx.now}
    return tx.insert(kind, **made | values)


def issue_pair(tx: Transaction, source: Code | Token, scopes: str) -> Token:
    """Issue a new pair from a code, or from the pair before it, whose lifetime it inherits."""
    values = {"application_id": source.application_id, "user_id": source.user_id, "scopes": scopes}
    values |= {"refresh_token": _random(tx), "previous_refresh_token": ""}
    if isinstance(source, Token):
        values["expires_in"] = source.expires_in
        if tx.switches.refresh_revokes_old == "on first use":
            values["previous_refresh_token"] = source.refresh_token
    return issue(tx, Token, **values)


def use_token(tx: Transaction, value: str) -> Token | None:
    """Find the pair an API call presents; with the switch "on first use", this revokes the pair before it."""
    found = tx.find(Token, "token", value)
    if found and found.previous_refresh_token:
        tx.run("UPDATE tokens SET revoked_at = ? WHERE refresh_token = ?", tx.now, found.previous_refresh_token)
        tx.update(found, previous_refresh_token="")
    return found


def _random(tx: Transaction) -> str:
    return secrets.token_hex(32) if tx.switches.style == "2015" else secrets.token_urlsafe(32)
