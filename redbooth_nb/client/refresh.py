"""Stage 4, refresh: a new token before or when the old one expires (guide, chapter 4; RFC 6749 section 6).

The order matters: lock, read the store (the caller's token may be old), mark, refresh, save, and only then use.
Redbooth replaces the refresh token every time; an app that loses the new one may have lost the user's permission.
"""

from contextlib import suppress
from functools import partialmethod
from http import HTTPStatus
from typing import Any, Final

import requests

from redbooth_nb.client.errors import ApiError, AuthorizeAgain, StoreError, TokenEndpointError, TransportError, failure
from redbooth_nb.client.exchange import token_session
from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import TIMEOUT, api_address, bearer_problem, connect_bounded, named_failures
from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import REVOKE_URL, TOKEN_URL
from redbooth_nb.traffic.redaction import hide_in_text

# The error codes for a refresh token that is no longer valid. Before 2015 it was invalid_request.
DEAD: Final = frozenset({"invalid_grant", "invalid_request"})
DEFAULTS: Final[dict[str, Any]] = {"timeout": TIMEOUT, "allow_redirects": False}


@only_kit_errors
def refresh(settings: Settings | None = None, *, replacing: Token | None = None) -> Token:
    """Return a new token, saved before it is returned.

    replacing: the token that you hold. If the store already has a fresh one in its place, that is returned and nothing
    is sent. Without `replacing` it always refreshes.
    Raises NotYet without a token, AuthorizeAgain when the refresh token is dead or missing, TokenEndpointError or
    TransportError when the service refuses or does not answer, StoreError when the new token cannot be saved. The
    stored token is never deleted.
    """
    settings = settings or Settings.load()
    store = TokenStore(settings.folder)
    with store.lock():
        stored = store.require()
        replaced = replacing is not None and stored.access_token != replacing.access_token
        if replaced and not stored.needs_refresh(settings.provider.now()):  # somebody else has refreshed
            return stored
        if stored.refresh_token is None:
            raise failure(AuthorizeAgain, "refresh", "no_refresh_token")
        try:
            # After an interrupted refresh the same token is sent again: the service may never have got it, or may keep
            # it valid until its successor is used.
            with store.refreshing(stored) as was_interrupted, token_session("refresh", settings) as oauth:
                # requests-oauthlib sends no client credentials by itself on a refresh
                content = oauth.refresh_token(
                    TOKEN_URL,
                    refresh_token=stored.refresh_token.reveal(),
                    client_id=settings.client_id,
                    client_secret=settings.client_secret.reveal(),
                    timeout=TIMEOUT,
                )
        except TokenEndpointError as error:
            if error.error not in DEAD or not error.refused:
                raise
            code = "dead_and_interrupted" if was_interrupted else "dead"
            raise failure(AuthorizeAgain, "refresh", code, status=error.status, error=error.error) from None
        token = Token.from_response(content, settings.provider.now(), previous=stored)
        store.save(token)
        return token


class RedboothSession:
    """Calls Redbooth's API and keeps the token alive: what Redbooth's Ruby gem does, for Python.

    Refreshes early (the last minute, or the last tenth of a short life), and once when a response says that the token
    expired. When it says *revoked*, a newer token that another program has stored is used instead.
    """

    @only_kit_errors
    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self.store = TokenStore(self.settings.folder)
        self._session = connect_bounded(requests.Session(), self.settings.provider)

    @only_kit_errors
    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call the API at `path` (such as "/me") and return any response, an error too; arguments as for requests.

        `get`, `post`, `put` and `delete` are the same with the method filled in. A redirect is returned, not followed,
        unless you say so: the token is for the API alone. `auth` is ignored, and the response is read to its end, even
        with stream=True. A refresh takes none of the arguments: for it, set REQUESTS_CA_BUNDLE and HTTPS_PROXY in the
        environment.
        Raises NotYet without a token, ApiError for an address outside the API or a call that cannot be repeated,
        AuthorizeAgain when the permission is gone, TransportError when there is no response, and what `refresh` raises.
        """
        url = api_address(path)
        token, refreshed = None, False
        with suppress(StoreError):
            token = self.store.load()
        if token is None:  # missing or damaged: look again under the lock, which repairs what a crash left
            with self.store.lock():
                token = self.store.require()
        failed: RedboothError | None = None
        if token.needs_refresh(now := self.settings.provider.now()) and token.refresh_token is not None:
            try:
                token, refreshed = refresh(self.settings, replacing=token), True
            except (TransportError, TokenEndpointError) as error:
                if (token.remaining(now) or 0) <= 0:
                    raise
                failed = error  # until it expires, the old one still opens the API
        response = self._call(method, url, token, arguments)
        unauthorized = response.status_code == HTTPStatus.UNAUTHORIZED
        problem = bearer_problem(response.headers.get("WWW-Authenticate", "")) if unauthorized else ""
        if problem == "revoked":
            newer = self._replacement(token)
        elif problem == "expired" and failed:
            raise failed
        elif problem == "expired" and not refreshed:  # if it has just been refreshed, another time would not help
            newer = refresh(self.settings, replacing=token)
        else:
            return response
        if any(map(_can_be_read_only_once, map(arguments.get, ("data", "params", "files")))):
            raise failure(ApiError, "call", "not_repeated")
        return self._call(method, url, newer, arguments)

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    delete = partialmethod(request, "DELETE")

    def _replacement(self, revoked: Token) -> Token:
        """Return the token that has replaced a revoked one, refreshed if need be. Raises AuthorizeAgain if none has."""
        with self.store.lock():  # somebody may be refreshing right now: their token is not in the store yet
            newest, interrupted = self.store.require(), self.store.interrupted()
        if newest.access_token == revoked.access_token:
            raise failure(AuthorizeAgain, "api", "interrupted" if interrupted else "revoked")
        # refresh() sends nothing if the newest token is fresh
        return refresh(self.settings, replacing=revoked) if newest.refresh_token else newest

    def _call(self, method: str, url: str, token: Token, arguments: dict[str, Any]) -> requests.Response:
        headers = {**(arguments.get("headers") or {}), "Authorization": f"Bearer {token.access_token.reveal()}"}
        # requests replaces the session's hooks, which limit the response, with those of the call: so both are passed
        own = (arguments.get("hooks") or {}).get("response") or []
        hooks = {"response": [*self._session.hooks["response"], *(own if isinstance(own, list | tuple) else [own])]}
        added = {"headers": headers, "hooks": hooks, "auth": None}  # or a password would take the token's place
        with named_failures(f"{method} {hide_in_text(url.partition('?')[0])}"):
            return self._session.request(method, url, **{**DEFAULTS, **arguments, **added})


def _can_be_read_only_once(part: object) -> bool:
    """Whether a part of a request is or holds a file or an iterator: a second request would find it read to its end."""
    inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list | tuple) else []
    once = hasattr(part, "__iter__") and not hasattr(part, "__len__")
    return once or hasattr(part, "read") or any(map(_can_be_read_only_once, inner))


@only_kit_errors
def revoke(settings: Settings | None = None) -> None:
    """Give the permission back and forget the stored token (RFC 7009). Unconfirmed for Redbooth.

    Raises NotYet without a token, ApiError or TransportError when the service does not do it; the token is then kept.
    """
    settings = settings or Settings.load()
    store = TokenStore(settings.folder)
    with store.lock():
        token = store.require()
        fields = {
            "token": (token.refresh_token or token.access_token).reveal(),
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.reveal(),
        }
        with named_failures(f"POST {REVOKE_URL}"):
            response = connect_bounded(requests.Session(), settings.provider).post(REVOKE_URL, data=fields, **DEFAULTS)
        if response.status_code != HTTPStatus.OK:
            raise failure(ApiError, "revoke", "refused", url=REVOKE_URL, status=response.status_code)
        try:
            store.forget()
        except StoreError as error:
            error.remedy += " Redbooth has revoked the token."
            raise
