"""What the token endpoint answers, as an object that shows no secret (RFC 6749 section 5.1)."""

import re
from dataclasses import dataclass
from typing import Any, Self

from redbooth_nb.client.errors import TokenEndpointError, failure, sentences
from redbooth_nb.secret import Secret


@dataclass(frozen=True)
class Token:
    """An access token and the refresh token that came with it.

    expires_in: lifetime in seconds as the service said it, None when it did not.
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
    def from_answer(cls, answer: dict[str, Any], now: float, previous: Self | None = None) -> Self:
        """Read the JSON of a successful answer. A refresh token or scope that it leaves out stays the previous one.

        Raises TokenEndpointError when the tokens or the type are wrong (RFC 6749 section 5.1). A lifetime or scope that
        makes no sense counts as left out.
        """
        if problems := content_problems(answer):
            where = "The token endpoint answered"
            raise failure(TokenEndpointError, "endpoint", "no_token", where=where, problems=problems)
        answer = readable(answer)
        scope, refresh = answer.get("scope") or (previous.scope if previous else ""), answer.get("refresh_token")
        kept = previous.refresh_token if previous else None
        return cls(
            access_token=Secret("access token", answer["access_token"]),
            token_type=answer.get("token_type", "bearer"),
            expires_in=int(float(answer.get("expires_in") or 0)) or None,
            refresh_token=Secret("refresh token", refresh) if refresh else kept,
            scope=" ".join(scope) if isinstance(scope, list) else scope,
            obtained_at=now,
        )

    def remaining(self, now: float) -> float | None:
        """Return the seconds left at `now`, never more than the lifetime (a clock set back adds no life)."""
        return None if self.expires_in is None else min(self.obtained_at + self.expires_in - now, self.expires_in)

    def needs_refresh(self, now: float) -> bool:
        """Whether to refresh before the next call: in the last minute, or the last tenth of a short life."""
        life = self.expires_in
        return life is not None and self.obtained_at + life - now <= min(60, life / 10)

    def reveal(self) -> dict[str, Any]:
        """Return the plain dict that requests-oauthlib works with. It holds secrets: do not display it."""
        fields = {name: value for name, value in vars(self).items() if value is not None}
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}


def content_problems(answer: dict[str, Any]) -> str:
    """Say what keeps an answer from being a token; "" when it is a token."""
    refresh = answer.get("refresh_token")
    wrong = {
        "access_token": not _fits_header(answer.get("access_token")),
        "refresh_token": refresh is not None and not _fits_header(refresh),
        "token_type": str(answer.get("token_type", "bearer")).lower() != "bearer",
    }
    return " ".join(sentences("token_content", wrong))


def readable(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer without a lifetime or scope that makes no sense: its tokens are too good to lose for that."""
    lifetime, scope = answer.get("expires_in"), answer.get("scope") or ""
    seconds = r"[0-9]{1,9}(\.[0-9]+)?" if isinstance(lifetime, float) else r"[0-9]{1,9}"  # some send the number as text
    odd = {
        "expires_in": not re.fullmatch(seconds, str(lifetime)),
        "scope": not all(isinstance(part, str) for part in (scope if isinstance(scope, list) else [scope])),
    }
    return {name: value for name, value in answer.items() if not odd.get(name)}


def _fits_header(value: object) -> bool:
    """Whether a token is visible ASCII, as RFC 6749 appendix A.12 wants it."""
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None
