"""A value that must not be seen by accident. Every secret of the kit is held in this type."""

import hashlib
import hmac
from typing import Any, NoReturn

# The one rule of redaction: what a field of this name holds is this kind of secret (RFC 6749, RFC 7636, Rails' CSRF).
SECRET_FIELDS = {
    "client_secret": "client secret",
    "code": "authorization code",
    "code_verifier": "code verifier",
    "access_token": "access token",
    "bearer_token": "access token",
    "refresh_token": "refresh token",
    "token": "token",
    "secret": "client secret",
    "password": "password",
    "authenticity_token": "form token",
    "doorkeeper_application[secret]": "client secret",
}


class Secret:
    """A secret that shows only its kind and a fingerprint, such as `<access token ...3f9c>`.

    The same value always has the same fingerprint (the end of its SHA-256), so two can be told apart unseen.
    It cannot be measured, iterated, pickled or written as JSON. `reveal()` is the one way to the value.
    """

    __slots__ = ("__value", "kind")

    def __init__(self, kind: str, value: str) -> None:
        self.kind = kind
        self.__value = value

    def reveal(self) -> str:
        """Return the value itself. Do not print it."""
        return self.__value

    @property
    def fingerprint(self) -> str:
        """Four hex digits that tell this value from another, and nothing else about it."""
        return hashlib.sha256(self.__value.encode("utf-8", "surrogatepass")).hexdigest()[-4:]

    def __repr__(self) -> str:
        """Return the kind and the fingerprint."""
        return f"<{self.kind} ...{self.fingerprint}>"

    def __format__(self, spec: str) -> str:
        """Format the representation, never the value."""
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time; a plain string is never equal."""
        if not isinstance(other, Secret):
            return NotImplemented
        return same_text(self.__value, other.reveal())

    def __hash__(self) -> int:
        """Hash by fingerprint."""
        return hash((Secret, self.fingerprint))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError(f"{self!r} is a secret and is not pickled. Use the token file instead.")


def same_text(one: str, other: str) -> bool:
    """Compare two strings in a time that tells nothing about where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def hide_secrets(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a JSON value with every secret field's value replaced by a Secret."""
    if isinstance(value, dict):
        return {name: _hidden(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [hide_secrets(item) for item in value]
    return value


def _hidden(name: str, value: Any) -> Any:  # noqa: ANN401
    if name in SECRET_FIELDS and isinstance(value, str) and value:
        return Secret(SECRET_FIELDS[name], value)
    return hide_secrets(value)
