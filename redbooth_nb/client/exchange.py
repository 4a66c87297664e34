"""Stage 3, exchange: the authorization code becomes a token (guide, chapter 3; RFC 6749 section 4.1.3).

Nothing here is ever sent twice: a code works once, and sending it again is what a thief would do.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import TokenEndpointError, meaning_of
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token, content_problems
from redbooth_nb.client.transcript import reason
from redbooth_nb.client.wire import TIMEOUT, connect, transport_failure, unlogged
from redbooth_nb.errors import NotYet, RedboothError, without_frames
from redbooth_nb.provider.addresses import TOKEN_URL

PERHAPS_USED: Final = "The code or refresh token may already be used up: if so, authorize again."
LARGEST_ANSWER: Final = 128 * 1024  # bytes; a token is a few hundred, an error page some thousand
SLOWEST_ANSWER: Final = 20.0  # seconds from its first line to its last byte; the lock on the store outlasts it


@without_frames
def exchange(response: AuthorizationResponse | None = None) -> Token:
    """Exchange the code of `response` (default: the last answer that came) for a token, and save it.

    Raises NotYet without a code, TokenEndpointError when the service refuses, TransportError when it does not
    answer; the code may then be spent, and the way on is to authorize again. Never retries.
    """
    response = response or AuthorizationResponse.last()
    if response.code is None:
        raise NotYet(
            "This answer holds no code to exchange.",
            why=response.describe(),
            remedy="Authorize again and click Allow.",
        )
    request = response.request
    settings = request.settings
    proof: dict[str, Any] = {"code_verifier": request.code_verifier.reveal()} if request.code_verifier else {}
    oauth = OAuth2Session(settings.client_id, redirect_uri=request.redirect_uri, state=response.state)

    def send() -> dict[str, Any]:
        return oauth.fetch_token(
            TOKEN_URL,
            authorization_response=response.url_for_oauthlib,
            include_client_id=True,
            client_secret=settings.client_secret.reveal(),
            timeout=TIMEOUT,
            **proof,
        )

    store = TokenStore(settings.folder)
    with store.lock():
        store.check()  # before the code is spent on a token that could not be kept
        PendingAuthorization(settings).mark_code_used(request)
        token = Token.from_answer(ask_token_endpoint(oauth, "exchange", send), settings.provider.now())
        store.save(token)
    return token


def ask_token_endpoint(oauth: OAuth2Session, leg: str, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run one token request of requests-oauthlib and return the JSON of a good answer.

    Looks at the HTTP answer before requests-oauthlib does, which would call a 500 or a login page a "missing token".
    Raises TokenEndpointError or TransportError, each without the frames that held the secrets.
    """
    connect(oauth)
    oauth.max_redirects = 0  # credentials go nowhere else
    oauth.hooks["response"].insert(0, partial(read_within_bounds, leg))

    def check(answer: requests.Response) -> requests.Response:
        problem = answer_problem(answer, leg)
        if problem:
            raise problem
        return answer

    oauth.register_compliance_hook("access_token_response", check)
    oauth.register_compliance_hook("refresh_token_response", check)
    failure: RedboothError
    try:
        with unlogged():
            return dict(send())
    except requests.RequestException as error:
        failure = transport_failure(error, f"{leg}: POST {TOKEN_URL}")
        failure.remedy += f" {PERHAPS_USED}"
    except OAuth2Error as error:
        failure = TokenEndpointError(f"{leg}: oauthlib refused the answer ({error.error}).", remedy="Authorize again.")
    except RedboothError as error:
        failure = error
    raise failure.fresh()


def read_within_bounds(leg: str, answer: requests.Response, *_: Any, **__: Any) -> None:  # noqa: ANN401  (a hook)
    """Read the body of an answer, byte by byte so that a trickle is noticed.

    Raises TokenEndpointError when it is larger than a token can be, or does not come to an end.
    """
    body, started, problem = bytearray(), time.monotonic(), ""
    for byte in answer.iter_content(1):
        body += byte
        if len(body) > LARGEST_ANSWER:
            problem = f"with more than {LARGEST_ANSWER // 1024} KiB"
        elif time.monotonic() - started > SLOWEST_ANSWER:
            problem = f"and did not come to an end in {SLOWEST_ANSWER:g} s"
        if problem:
            answer.close()
            failure = TokenEndpointError(
                f"{leg}: POST {TOKEN_URL} answered {answer.status_code} {reason(answer.status_code)} {problem}.",
                why="A token is a few hundred bytes; something else answered.",
                remedy=f"Check the address and your network. {PERHAPS_USED}",
            )
            failure.status = answer.status_code
            raise failure
    answer._content = bytes(body)  # noqa: SLF001  (where requests itself keeps what it has read)


def answer_problem(answer: requests.Response, leg: str) -> TokenEndpointError | None:
    """Say what is wrong with an answer of the token endpoint, None when it is a good one.

    Old and new versions of the service differ (401 or 400, `error` as text or as an object); both are understood.
    """
    try:
        content = answer.json()
    except (ValueError, RecursionError):
        content = None
    status = f"{answer.status_code} {reason(answer.status_code)}".strip()
    where = f"{leg}: POST {TOKEN_URL} answered {status}"
    if not isinstance(content, dict):
        kind = answer.headers.get("Content-Type") or "no content type"
        what = "an empty body" if not answer.content else f"something that is not JSON ({kind})"
        remedy = "Check the address and your network; a login page or proxy may have answered. See the transcript."
        problem = TokenEndpointError(f"{where} with {what}.", remedy=remedy, reference="RFC 6749 section 5")
    elif answer.ok and "error" not in content:
        wrong = content_problems(content)
        if not wrong:
            return None
        remedy = "Look at the exchange in the transcript; nothing was saved."
        problem = TokenEndpointError(
            f"{where} with JSON that is not a token.", why=wrong, remedy=remedy, reference="RFC 6749 section 5.1"
        )
    else:
        raw = content.get("error", "")
        code = str(raw.get("message", "")) if isinstance(raw, dict) else str(raw)
        known = meaning_of("token", code)
        problem = TokenEndpointError(
            f"{where}: {code or 'no error code'}. {known.what}",
            why=known.why,
            remedy=known.remedy,
            reference=known.reference,
        )
        problem.error, problem.error_description = code, str(content.get("error_description", ""))
    problem.status = answer.status_code
    return problem
