"""Stage 3, exchange: the authorization code becomes a token (guide, chapter 3; RFC 6749 section 4.1.3).

A code is marked as sent before it is sent, and never sent again: it works once, and a second use looks like theft.
`token_session` is the one place that asks for tokens, here and in a refresh. requests-oauthlib handles the
protocol (RFC 6749 section 5). What it leaves open is done here: nothing is sent twice or to another address, the body
of a response is bounded in size and time, and whatever comes back that is not a token becomes a named error.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import requests
from requests_oauthlib import OAuth2Session

from redbooth_nb.client.errors import LONGEST_CODE, TokenEndpointError, TransportError, failure, meanings
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore, content_problems, without_odd_fields
from redbooth_nb.client.wire import TIMEOUT, connect_bounded, named_failures, status_of
from redbooth_nb.errors import RedboothError, only_kit_errors, printable
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.traffic.redaction import hide_in_text

AFTERWARD = {
    "exchange": " exchange() itself never sends a code twice: authorize again before you call it again.",
    "refresh": " The refresh token may already be used up. If it is, authorize again.",
}
LARGEST_TOKEN_RESPONSE = 128 * 1024  # bytes; a token is a few hundred, an error page a few thousand
SLOWEST_TOKEN_RESPONSE = 20.0  # seconds for the body, from the end of the headers


@only_kit_errors
def exchange(response: AuthorizationResponse | None = None) -> Token:
    """Exchange the code of `response` (default: the last answer that came) for a token, and save it.

    Raises NotYet when there is no code, or the last one was sent; CodeAlreadySent when that of `response` was sent;
    TokenEndpointError when the service refuses; TransportError when it does not answer: if `error.sent`, the code may
    be used up, so authorize again; if not, call `exchange` again. StoreError when the token cannot be saved.
    """
    response = response or AuthorizationResponse.last()
    request = response.request
    settings, store = request.settings, TokenStore(request.settings.folder)
    with store.lock():
        store.check()  # before the code is used up for a token that could not be kept
        callback_url = response.use()
        try:
            with token_session("exchange", settings, redirect_uri=request.redirect_uri, state=request.state) as oauth:
                content = oauth.fetch_token(
                    TOKEN_URL,
                    authorization_response=callback_url,
                    include_client_id=True,
                    client_secret=settings.client_secret.reveal(),
                    code_verifier=request.code_verifier and request.code_verifier.reveal(),
                    timeout=TIMEOUT,
                )
        except TransportError as error:
            if not error.sent:
                with suppress(RedboothError):  # the first failure is the one to report
                    response.put_back()
            raise
        token = Token.from_response(content, settings.provider.now())
        store.save(token)
    return token


@contextmanager
def token_session(step: str, settings: Settings, **options: Any) -> Iterator[OAuth2Session]:
    """Yield an `OAuth2Session` for one request to the token endpoint of the provider in `settings`.

    step: "exchange", "refresh", or any other word; errors begin with it. options: as for `OAuth2Session`.
    Raises TokenEndpointError when the response is not a token, TransportError when there is none. Never retries.
    """
    afterward = AFTERWARD.get(step, "")

    def require_token(response: requests.Response, *_: Any, **__: Any) -> None:
        """Raise an error that fits if it is no token (requests-oauthlib says "missing token"); drop its odd fields."""
        response.encoding = "utf-8-sig"  # JSON is UTF-8, whatever the header says; some begin it with a byte order mark
        if response.is_redirect:  # credentials go nowhere else
            raise requests.TooManyRedirects(response=response)  # named_failures turns it into "redirect"
        if problem := error_in_response(response, step):
            # a refresh token that was refused may still be good; a code is never sent again, good or not
            if step == "exchange" or not problem.refused:
                problem.remedy += afterward
            raise problem
        # oauthlib refuses a whole response for one lifetime or scope that makes no sense, so such a field is taken out;
        # good ones stay. `_content` is where requests keeps the body.
        content = {"token_type": "bearer", **without_odd_fields(response.json())}  # oauthlib may insist on a type
        vars(response).update(_content=json.dumps(content).encode())

    oauth = OAuth2Session(settings.client_id, **options)
    connect_bounded(oauth, settings.provider, LARGEST_TOKEN_RESPONSE, SLOWEST_TOKEN_RESPONSE)
    oauth.hooks["response"].append(require_token)  # requests calls these with each response, before anybody sees it
    with named_failures(f"{step}: POST {TOKEN_URL}", also=afterward):
        yield oauth


def error_in_response(response: requests.Response, step: str) -> TokenEndpointError | None:
    """Return the error that names what is wrong with a response from the token endpoint, None when it is a token.

    Old and new versions of the service differ (401 or 400, `error` as text or as an object); both are understood.
    """
    where = f"{step}: POST {TOKEN_URL} returned {status_of(response)}"
    try:
        content = json.loads(response.content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        kind = _shown(response.headers.get("Content-Type") or "no content type")[:LONGEST_CODE]
        body = f"something that is not JSON ({kind})" if response.content else "an empty body"
        problem = failure(TokenEndpointError, "endpoint", "not_json", where=where, body=body)
    elif HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES and not content.get("error"):
        wrong = content_problems(content)
        if not wrong:
            return None
        problem = failure(TokenEndpointError, "endpoint", "no_token", where=where, problems=wrong)
    else:
        raw = content.get("error", "")
        code = str((raw.get("message") if isinstance(raw, dict) else raw) or "")
        code = code if code in meanings()["token"] else _shown(code)[:LONGEST_CODE]
        problem = failure(TokenEndpointError, "token", code, before=f"{where}: {code or 'no error code'}. ")
        problem.error = code
    problem.status = response.status_code
    return problem


def _shown(text: object) -> str:
    """Make a text from the service safe to show: it may repeat a secret, or hold control characters."""
    return printable(hide_in_text(str(text)))
