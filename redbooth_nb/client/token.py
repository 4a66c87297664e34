"""The token, as an object that shows no secret, and on disk, with the lock that makes refreshes happen one at a time.

One folder for each provider and client id, so a token is only ever sent to the service that gave it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from redbooth_nb.client.errors import StoreError, TokenEndpointError, TransportError, failure, sentences
from redbooth_nb.client.private_file import PrivateFile, locked
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import hide_in_text

MARK = "refreshing"  # the field beside a token that is about to be refreshed; the new token's file has none
LOST = "The new token may be lost. If calls to Redbooth fail after this, authorize again."


@dataclass(frozen=True)
class Token:
    """An access token and the refresh token that came with it.

    expires_in: lifetime in seconds as the service gave it, None when it gave none, or less than a second.
    obtained_at: when it arrived, in Unix seconds by the provider's clock; expiry is counted from here and
    not from the service's `created_at`, which old services leave out and other clocks contradict.
    """

    access_token: Secret
    token_type: str
    expires_in: int | None
    refresh_token: Secret | None
    scope: str
    obtained_at: float

    @classmethod
    @only_kit_errors
    def from_response(cls, content: dict[str, Any], now: float, previous: Self | None = None) -> Self:
        """Read the JSON of a successful response. The previous refresh token and scope stay if it has none.

        Raises TokenEndpointError when a token or the type is wrong (RFC 6749 section 5.1); see `without_odd_fields`.
        """
        if problems := content_problems(content):
            raise failure(TokenEndpointError, "endpoint", "no_token", where="A response arrived", problems=problems)
        content = without_odd_fields(content)
        scope = content.get("scope") or (previous.scope if previous else "")
        refresh = Secret("refresh token", content["refresh_token"]) if "refresh_token" in content else None
        return cls(
            access_token=Secret("access token", content["access_token"]),
            token_type=content.get("token_type", "bearer"),
            expires_in=int(float(content.get("expires_in", 0))) or None,
            refresh_token=refresh or (previous.refresh_token if previous else None),
            scope=hide_in_text(" ".join(scope) if isinstance(scope, list) else scope),  # some repeat tokens
            obtained_at=now,
        )

    def remaining(self, now: float) -> float | None:
        """Return the seconds left at `now`, never more than the lifetime (a clock set back adds no life)."""
        return None if self.expires_in is None else min(self.obtained_at + self.expires_in - now, self.expires_in)

    def needs_refresh(self, now: float) -> bool:
        """Whether to refresh before the next call: in the last minute, or the last tenth of a short life."""
        left = self.remaining(now)
        return left is not None and left <= min(60, (self.expires_in or 0) / 10)

    def reveal(self) -> dict[str, Any]:
        """Return the dict for requests-oauthlib. It holds secrets, but no `expires_at`: an old token looks new."""
        fields = {name: value for name, value in vars(self).items() if value is not None}
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}


def content_problems(content: dict[str, Any]) -> str:
    """Say what keeps content from being a token; "" when it is a token."""
    refresh = content.get("refresh_token")
    wrong = {
        "access_token": not _fits_header(content.get("access_token")),
        "refresh_token": refresh not in (None, "") and not _fits_header(refresh),
        "token_type": content.get("token_type") not in (None, "") and str(content["token_type"]).lower() != "bearer",
    }
    return " ".join(sentences("token_content", wrong))


def without_odd_fields(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content without empty fields, or a lifetime or scope that makes no sense: its tokens matter more."""
    lifetime, scope = content.get("expires_in"), content.get("scope", "")
    seconds = r"[0-9]{1,9}(\.[0-9]+)?" if isinstance(lifetime, float) else r"[0-9]{1,9}"  # some send the number as text
    dropped = {
        "error": not content.get("error"),
        "expires_in": not re.fullmatch(seconds, str(lifetime)),
        "scope": not all(isinstance(part, str) for part in (scope if isinstance(scope, list) else [scope])),
    }
    return {name: value for name, value in content.items() if value not in (None, "") and not dropped.get(name)}


def _fits_header(value: object) -> bool:
    """Whether a token is visible ASCII, as RFC 6749 appendix A.12 wants it."""
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None


class TokenStore:
    """The token of one app at one provider. Hold `lock()` from before reading to after writing."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "token.json"
        self._file = PrivateFile(self.path, usable=_token_in)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store exclusively, against this thread too. Raises StoreError when it can't be had."""
        with locked(self.folder / "token.lock"):
            self._recover()
            yield

    @only_kit_errors
    def load(self) -> Token | None:
        """Return the token, or None when there is none. Raises StoreError."""
        return _read(self._file)[0]

    def require(self) -> Token:
        """Return the token. Raises NotYet when there is none, StoreError when it can't be read."""
        if (token := self.load()) is None:
            raise failure(NotYet, "refresh", "no_token")
        return token

    @only_kit_errors
    def check(self) -> None:
        """Raise StoreError when the file is a link, or others own or can read it. Free space is not checked."""
        self._file.text()

    @only_kit_errors
    def save(self, token: Token) -> None:
        """Keep the token; when this returns it is on the disk, and the mark is gone.

        After a StoreError the file is whole, old or new; the next `lock()` puts a new one that is whole in place.
        """
        try:
            self._file.write(token.reveal())
        except StoreError as error:
            error.remedy += f" {LOST}"
            raise

    @only_kit_errors
    def _mark(self, token: Token) -> None:
        self._file.write({**token.reveal(), MARK: True})

    @contextmanager
    def refreshing(self, token: Token) -> Iterator[bool]:
        """Mark `token` on disk while it is refreshed: a crash before `save` is then noticed.

        Yields whether an earlier refresh had left a mark. If not, a refusal or a failure to send removes the new mark.
        """
        interrupted = self.interrupted()
        self._mark(token)
        try:
            yield interrupted
        except (TransportError, TokenEndpointError) as error:
            nothing_lost = error.refused if isinstance(error, TokenEndpointError) else not error.sent
            if nothing_lost and not interrupted:
                with suppress(StoreError):  # on a full disk the mark stays: the error of the refresh matters more
                    self.save(token)  # without the mark
            raise

    @only_kit_errors
    def interrupted(self) -> bool:
        """Whether the mark is there: a refresh was begun and no new token saved, so the new token may be lost."""
        return _read(self._file)[1]

    @only_kit_errors
    def forget(self) -> None:
        """Delete the token, for example after it was revoked. Copies of damaged files (*.damaged) stay."""
        self._file.remove()

    @only_kit_errors
    def _recover(self) -> None:
        """Put in place a new token that is complete in the temporary file but was not renamed."""
        token, marked = None, False
        with suppress(StoreError):  # half a token is none
            token, marked = _read(PrivateFile(self._file.part))
        if token and not marked:  # a marked one is the old token, on the way to a refresh
            self._file.finish_write()


def _read(file: PrivateFile) -> tuple[Token | None, bool]:
    """Return the token in a file, and whether it is marked."""
    if (content := file.read()) is None:
        return None, False
    if (token := _token_in(content)) is None:
        raise file.problem("no_token")
    return token, bool(content.get(MARK))


def _token_in(content: dict[str, Any]) -> Token | None:
    with suppress(RedboothError, KeyError, TypeError, ValueError, OverflowError):
        return Token.from_response(content, float(content["obtained_at"]))
    return None
