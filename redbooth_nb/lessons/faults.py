"""Faults to cause on purpose, by name: what is done wrong, and what may come of it. Each runs without a widget."""

from collections.abc import Callable
from dataclasses import dataclass

import requests

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.explain import describe_answer, describe_error
from redbooth_nb.lessons.practice import allow, practice_only
from redbooth_nb.provider.addresses import API_URL, AUTHORIZE_URL, TOKEN_URL

PAGE, CLIENT, REQUEST, GRANT, TOKEN, LOCAL = (
    "an error page at Redbooth",
    "401 invalid_client",
    "400 invalid_request",
    "400 invalid_grant",
    "401 invalid_token",
    "refused before anything is sent",
)
UNKNOWN = "unknown"
OUTCOMES = (PAGE, CLIENT, REQUEST, GRANT, TOKEN, LOCAL)


@dataclass(frozen=True)
class Fault:
    """One thing done wrong. stage: where. outcome: what comes of it, one of OUTCOMES. cause: does it, returns words."""

    stage: str
    title: str
    outcome: str
    cause: Callable[[], str]


def _link(**changes: str | None) -> str:
    request = AuthorizationRequest.new()
    session, parameters = connect(requests.Session()), {**request.parameters, **changes}
    return describe_answer(session.get(AUTHORIZE_URL, params=parameters, allow_redirects=False))


def _answer(ending: str) -> str:
    request = AuthorizationRequest.new()
    url = f"{request.redirect_uri}?code=a-strangers-code{ending.format(state=request.state)}"
    try:
        return AuthorizationResponse.read(url, request).describe()
    except RedboothError as error:
        return describe_error(error)


def _exchange(**changes: str | None) -> str:
    return _ask({**_fields(allow()), **changes})


def _fields(response: AuthorizationResponse) -> dict[str, str | None]:
    settings = response.request.settings
    return {
        "grant_type": "authorization_code",
        "code": response.code.reveal() if response.code else "",
        "redirect_uri": response.request.redirect_uri,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.reveal(),
    }


def _ask(fields: dict[str, str | None]) -> str:
    return describe_answer(connect(requests.Session()).post(TOKEN_URL, data=fields))


def _twice() -> str:
    fields = _fields(allow())
    _ask(fields)
    return _ask(fields)


def _refresh(**changes: str | None) -> str:
    """Refresh on a pair of its own, so that the stored one is not harmed."""
    settings, fields = Settings.load(), _fields(allow())
    pair = connect(requests.Session()).post(TOKEN_URL, data=fields).json()
    client = {"client_id": settings.client_id, "client_secret": settings.client_secret.reveal()}
    return _ask({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"], **client, **changes})


def _call(header: str | None) -> str:
    return describe_answer(connect(requests.Session()).get(f"{API_URL}/me", headers={"Authorization": header or ""}))


FAULTS = {
    "unknown-client": Fault("authorize", "a client id nobody knows", PAGE, lambda: _link(client_id="unknown")),
    "no-response-type": Fault("authorize", "no response_type", PAGE, lambda: _link(response_type=None)),
    "wrong-response-type": Fault("authorize", "response_type=id_token", PAGE, lambda: _link(response_type="id_token")),
    "other-host": Fault(
        "authorize", "a redirect URI at another host", PAGE, lambda: _link(redirect_uri="https://a.test")
    ),
    "state-guessed": Fault("authorize", "an answer with a guessed state", LOCAL, lambda: _answer("&state=guessed")),
    "state-absent": Fault("authorize", "an answer without state", LOCAL, lambda: _answer("")),
    "code-twice-in-url": Fault(
        "authorize", "an answer with two codes", LOCAL, lambda: _answer("&state={state}&code=b")
    ),
    "wrong-secret": Fault("exchange", "a wrong client secret", CLIENT, lambda: _exchange(client_secret=UNKNOWN)),
    "no-secret": Fault("exchange", "no client secret", CLIENT, lambda: _exchange(client_secret=None)),
    "no-redirect-uri": Fault("exchange", "no redirect_uri", REQUEST, lambda: _exchange(redirect_uri=None)),
    "other-redirect-uri": Fault(
        "exchange", "another redirect_uri than before", GRANT, lambda: _exchange(redirect_uri="http://127.0.0.1/other")
    ),
    "code-twice": Fault("exchange", "the same code twice", GRANT, _twice),
    "unknown-refresh-token": Fault(
        "refresh", "an unknown refresh token", GRANT, lambda: _refresh(refresh_token=UNKNOWN)
    ),
    "refresh-no-client": Fault(
        "refresh", "no client credentials", GRANT, lambda: _refresh(client_id=None, client_secret=None)
    ),
    "no-refresh-token": Fault("refresh", "no refresh token", REQUEST, lambda: _refresh(refresh_token=None)),
    "garbled-token": Fault("api", "a garbled access token", TOKEN, lambda: _call("Bearer garbled")),
    "no-bearer": Fault("api", "an access token without the word Bearer", TOKEN, lambda: _call("garbled")),
}


def cause(name: str) -> str:
    """Cause a fault and return what came of it, explained. Only on a stand-in.

    Raises RedboothError for a name that is none, or on redbooth.com.
    """
    practice_only()
    if name not in FAULTS:
        raise RedboothError(f"There is no fault {name!r}.", remedy=f"The faults are: {', '.join(FAULTS)}.")
    return FAULTS[name].cause()
