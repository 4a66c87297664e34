"""The token as an object that shows no secret, and the one place that asks for it, for exchange and refresh.

requests-oauthlib does the protocol (RFC 6749 sections 3.2 and 5). What it leaves open is done here: nothing is sent
twice or to another address, the body of an answer is bounded in size and time, and whatever comes back that is not a
token becomes a named error.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self

import requests
from requests_oauthlib import OAuth2Session

from redbooth_nb.client.errors import TokenEndpointError, failure, sentences
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import connect_bounded, named_failures, status_of
from redbooth_nb.errors import printable
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import hide_in_text

PERHAPS_USED: Final = "The code or refresh token may already be used up. If it is, authorize again."
LARGEST_TOKEN_ANSWER: Final = 128 * 1024  # bytes; a token is a few hundred, an error page some thousand
SLOWEST_TOKEN_ANSWER: Final = 20.0  # seconds for the body, from the end of the headers
LONGEST_CODE: Final = 60  # characters shown of an error code


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


@contextmanager
def token_session(step: str, settings: Settings, **options: Any) -> Iterator[OAuth2Session]:
    """Yield an `OAuth2Session` for one request to the token endpoint of the provider in `settings`.

    step: "exchange" or "refresh", to name in errors. options: as for `OAuth2Session`.
    Raises TokenEndpointError when the answer is not a token, TransportError when there is none. Never retries.
    """

    def refuse(answer: requests.Response, *_: Any, **__: Any) -> None:
        """Raise the error for an answer that is not a token. requests-oauthlib would call it a "missing token"."""
        answer.encoding = "utf-8-sig"  # JSON is UTF-8, whatever the header says; some services put a mark before it
        if answer.is_redirect:  # credentials go nowhere else
            raise requests.TooManyRedirects(response=answer)  # named_failures turns it into "redirect"
        if problem := answer_problem(answer, step):
            raise problem
        # a lifetime or scope that oauthlib cannot read would cost the tokens beside it
        vars(answer).update(_content=json.dumps(readable(answer.json())).encode())

    oauth = OAuth2Session(settings.client_id, **options)
    connect_bounded(oauth, settings.provider, LARGEST_TOKEN_ANSWER, SLOWEST_TOKEN_ANSWER)
    oauth.hooks["response"].append(refuse)  # requests calls these with each answer, before anybody else sees it
    with named_failures(f"{step}: POST {TOKEN_URL}", also=f" {PERHAPS_USED}"):
        yield oauth


def answer_problem(answer: requests.Response, step: str) -> TokenEndpointError | None:
    """Return the error that names what is wrong with an answer of the token endpoint, None when it is a token.

    Old and new versions of the service differ (401 or 400, `error` as text or as an object); both are understood.
    """
    where = f"{step}: POST {TOKEN_URL} answered {status_of(answer)}"
    try:
        content = json.loads(answer.content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        kind = _shown(answer.headers.get("Content-Type") or "no content type")
        body = f"something that is not JSON ({kind})" if answer.content else "an empty body"
        problem = failure(TokenEndpointError, "endpoint", "not_json", where=where, body=body)
    elif HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES and "error" not in content:
        wrong = content_problems(content)
        if not wrong:
            return None
        problem = failure(TokenEndpointError, "endpoint", "no_token", where=where, problems=wrong)
    else:
        raw = content.get("error", "")
        code = _shown((raw.get("message") if isinstance(raw, dict) else raw) or "")[:LONGEST_CODE]
        problem = failure(TokenEndpointError, "token", code, before=f"{where}: {code or 'no error code'}. ")
        problem.error = code
    problem.status = answer.status_code
    return problem


def _shown(text: object) -> str:
    """Return a text of the service that is safe to show: it may repeat a secret, or hold control characters."""
    return printable(hide_in_text(str(text)))
