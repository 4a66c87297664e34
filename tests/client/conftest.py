"""Fixtures for the app's side: an app that is registered, an answer that came, a token that is kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from client.machine import CLIENT_ID, CLIENT_SECRET, FaultyServer, own_machine, unused_port

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import press
from redbooth_nb.traffic.transcript import transcript


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a machine of its own. Returns the working directory."""
    with own_machine(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def redirect_uri() -> str:
    return f"http://127.0.0.1:{unused_port()}/callback"


@pytest.fixture
def settings(redirect_uri: str, live: None) -> Settings:  # noqa: ARG001  (what it does, not what it returns)
    """Return settings of a registered app that may not send anything."""
    return save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri)


@pytest.fixture
def sent(settings: Settings) -> AuthorizationRequest:
    """Return an authorization under way; nothing else may be sent."""
    return AuthorizationRequest.new(settings)


@pytest.fixture
def app(sandbox: Sandbox, redirect_uri: str) -> Settings:
    """Return an app registered at the sandbox."""
    sandbox.seed_application("Practice app", redirect_uri, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    return save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri)


@pytest.fixture
def decide() -> Callable[..., AuthorizationResponse]:
    """Let the user press Allow, or what `answer` says, in the sandbox's own page."""

    def decide(settings: Settings, *, answer: str = "allow", **options: Any) -> AuthorizationResponse:  # noqa: ANN401
        request = AuthorizationRequest.new(settings, **options)
        url = press(connect(requests.Session()), request.url, request.redirect_uri, answer)
        return AuthorizationResponse.read(url, request)

    return decide


@pytest.fixture
def token_requests() -> Callable[[], int]:
    """Count the requests to the token endpoint so far."""
    return lambda: sum(round_trip.address.endswith("/oauth2/token") for round_trip in transcript)


@pytest.fixture
def app_at_faulty(faulty: FaultyServer, redirect_uri: str) -> Settings:  # noqa: ARG001  (it is the provider)
    """Return an app whose provider is the faulty server."""
    return save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri)


@pytest.fixture
def allowed(app_at_faulty: Settings) -> AuthorizationResponse:
    """Return an answer with a code; whoever exchanges it meets the faulty server."""
    request = AuthorizationRequest.new(app_at_faulty, pkce=True)
    query = urlencode({"code": "code-of-the-user", "state": request.state})
    return AuthorizationResponse.read(f"{request.redirect_uri}?{query}", request)


@pytest.fixture
def stored(app_at_faulty: Settings) -> Token:
    """Return a token in the store of the app whose provider is the faulty server."""
    answer = {"access_token": "first-access", "refresh_token": "first-refresh", "expires_in": 7200, "scope": "all"}
    token = Token.from_response(answer, app_at_faulty.provider.now())
    TokenStore(app_at_faulty.folder).save(token)
    return token


@pytest.fixture
def listen() -> Callable[..., SignIn]:
    """Start a listener for a request."""

    def listen(request: AuthorizationRequest, **options: Any) -> SignIn:  # noqa: ANN401
        listener = SignIn(request, **options)
        assert listener.notice == ""
        return listener

    return listen
