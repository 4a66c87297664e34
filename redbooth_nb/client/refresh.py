"""Stage 4, refresh: a new token before or when the old one ends (guide, chapter 4; RFC 6749 section 6).

The order matters: lock, read again, refresh, save, and only then use. Redbooth replaces the refresh token every
time; whoever loses the new one has lost the user's permission.
"""

from collections.abc import Callable
from typing import Any, Final

import requests
from requests_oauthlib import OAuth2Session

from redbooth_nb.client.errors import ApiError, AuthorizeAgain, TokenEndpointError, bearer_problem, meaning_of
from redbooth_nb.client.exchange import ask_token_endpoint
from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.client.wire import TIMEOUT, connect, send
from redbooth_nb.errors import NotYet, without_frames
from redbooth_nb.provider.addresses import API_URL, REVOKE_URL, TOKEN_URL

# What a dead refresh token is called: today's services, and those before 2015.
DEAD: Final = frozenset({"invalid_grant", "invalid_request"})


@without_frames
def refresh(settings: Settings | None = None, *, replacing: Token | None = None) -> Token:
    """Return a new token in place of `replacing` (default: the stored one), saved before it is returned.

    When somebody else has replaced it in the meantime, theirs is returned and nothing is sent.
    Raises NotYet without a token, AuthorizeAgain when the refresh token is dead, TokenEndpointError or
    TransportError when the service refuses or does not answer. The stored token is never deleted.
    """
    settings = settings or Settings.load()
    store = TokenStore(settings.folder)
    with store.lock():
        stored = _stored(store)
        if replacing is not None and stored.access_token != replacing.access_token:
            return stored
        if stored.refresh_token is None:
            raise AuthorizeAgain(
                "This token came without a refresh token.",
                remedy="Authorize again when it expires.",
                reference="RFC 6749 section 6",
            )
        interrupted = store.interrupted()
        store.mark_refresh(stored)
        try:
            answer = _ask(settings, stored.refresh_token.reveal(), interrupted=interrupted)
        except (AuthorizeAgain, TokenEndpointError) as error:
            if _is_refusal(error) and not interrupted:
                store.unmark()  # a plain no: nothing is lost on the way
            raise
        token = Token.from_answer(answer, settings.provider.now(), previous=stored)
        store.save(token)
        return token


def _ask(settings: Settings, refresh_token: str, *, interrupted: bool) -> dict[str, Any]:
    oauth = OAuth2Session(settings.client_id)

    def send_it() -> dict[str, Any]:
        # requests-oauthlib sends no client credentials of its own accord on a refresh
        return oauth.refresh_token(
            TOKEN_URL,
            refresh_token=refresh_token,
            client_id=settings.client_id,
            client_secret=settings.client_secret.reveal(),
            timeout=TIMEOUT,
        )

    try:
        return ask_token_endpoint(oauth, "refresh", send_it)
    except TokenEndpointError as error:
        if error.error not in DEAD:
            raise
        status, code = error.status, error.error
    crashed = "An earlier refresh was cut off before its answer was saved; the service had already moved on. "
    raise AuthorizeAgain(
        f"refresh: POST {TOKEN_URL} answered {status}: {code}. The stored refresh token does not count any more.",
        why=(crashed if interrupted else "") + "It was used before, replaced, or revoked by the user.",
        remedy="Authorize again (notebook 02-authorize). The old token is kept until then.",
        reference="RFC 6749 section 5.2; guide, chapter 4",
    )


def _is_refusal(error: AuthorizeAgain | TokenEndpointError) -> bool:
    return isinstance(error, AuthorizeAgain) or (bool(error.error) and error.status < 500)  # noqa: PLR2004


def _stored(store: TokenStore) -> Token:
    token = store.load()
    if token is None:
        raise NotYet("There is no token yet.", remedy="Do notebook 03-exchange, or run: catch_up('refresh')")
    return token


class RedboothSession:
    """Calls Redbooth's API and keeps the token alive: what Redbooth's Ruby gem does, for Python.

    Refreshes early (the last minute, or the last tenth of a short life), and once when an answer says
    that the token expired. on_refresh(old, new) is called after the new token is safe on disk.
    """

    def __init__(
        self, settings: Settings | None = None, *, on_refresh: Callable[[Token, Token], None] | None = None
    ) -> None:
        self.settings = settings or Settings.load()
        self.store = TokenStore(self.settings.folder)
        self.on_refresh = on_refresh
        self._session = connect(requests.Session())

    @without_frames
    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
        """Call `path` (such as "/me") of the API, whatever it answers; arguments as in `requests.request`.

        Raises NotYet without a token, ApiError for an address outside the API, AuthorizeAgain when the
        permission is gone, TransportError when there is no answer.
        """
        url = path if path.startswith(f"{API_URL}/") else f"{API_URL}/{path.removeprefix('/')}"
        address = path.partition("?")[0]
        if "://" in address and not path.startswith(f"{API_URL}/"):
            raise ApiError(f"{address} is not part of {API_URL}.", why="The token is only sent to Redbooth's API.")
        token = _stored(self.store)
        refreshed = token.needs_refresh(self.settings.provider.now()) and token.refresh_token is not None
        if refreshed:
            token = self._refresh(token)
        response = self._call(method, url, token, arguments)
        problem = bearer_problem(response.headers.get("WWW-Authenticate", "")) if response.status_code == 401 else ""  # noqa: PLR2004
        if problem == "expired" and not refreshed:  # else the clocks disagree, and one refresh more would not help
            response = self._call(method, url, self._refresh(token), arguments)
        elif problem == "revoked":
            with self.store.lock():  # somebody may be refreshing right now: their token is not in the store yet
                newer = _stored(self.store)
            if newer.access_token == token.access_token:
                known = meaning_of("api", "revoked")
                raise AuthorizeAgain(known.what, why=known.why, remedy=known.remedy, reference=known.reference)
            response = self._call(method, url, newer, arguments)
        return response

    def get(self, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
        """GET `path`; see `request`."""
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
        """POST to `path`; see `request`."""
        return self.request("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
        """PUT to `path`; see `request`."""
        return self.request("PUT", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
        """DELETE `path`; see `request`."""
        return self.request("DELETE", path, **arguments)

    def _refresh(self, token: Token) -> Token:
        newer = refresh(self.settings, replacing=token)
        if self.on_refresh is not None:
            self.on_refresh(token, newer)
        return newer

    def _call(self, method: str, url: str, token: Token, arguments: dict[str, Any]) -> requests.Response:
        headers = {**(arguments.get("headers") or {}), "Authorization": f"Bearer {token.access_token.reveal()}"}
        return send(self._session, method, url, **{**arguments, "headers": headers})


@without_frames
def revoke(settings: Settings | None = None) -> None:
    """Give the permission back and forget the stored token (RFC 7009). Doorkeeper's standard, unconfirmed for Redbooth.

    Raises NotYet without a token, ApiError when the service does not do it; the token is then kept.
    """
    settings = settings or Settings.load()
    store = TokenStore(settings.folder)
    with store.lock():
        token = _stored(store)
        fields = {
            "token": (token.refresh_token or token.access_token).reveal(),
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.reveal(),
        }
        answer = send(connect(requests.Session()), "POST", REVOKE_URL, data=fields, allow_redirects=False)
        if answer.status_code != 200:  # noqa: PLR2004
            raise ApiError(
                f"POST {REVOKE_URL} answered {answer.status_code}; the token was not revoked.",
                remedy="Revoke it on Redbooth's page of authorized applications.",
                reference="RFC 7009 section 2.2",
            )
        store.forget()
