"""Tools for practice on a stand-in: codes without clicks, made-up answers, and two hours in an instant."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import responses
from io import BytesIO
from typing import Any
from unittest.mock import patch

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import failure
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import Provider, current_provider
from redbooth_nb.provider.visitor import press

HOUR = 3600  # seconds
LONGEST_WAIT = 15  # seconds a cell may sleep for a short-lived token


def allow(settings: Settings | None = None, **options: Any) -> AuthorizationResponse:
    """Make a request, press Allow for you, and return the answer. options: as for `AuthorizationRequest.new`.

    Raises RedboothError on redbooth.com, where only a person can allow.
    """
    practice_only()
    request = AuthorizationRequest.new(settings, **options)
    url = press(connect(requests.Session()), request.url, request.redirect_uri, "allow")
    return AuthorizationResponse.read(url, request)


def practice_only() -> Provider:
    """Return the provider. Raises RedboothError when it is the real redbooth.com."""
    provider = current_provider()
    if provider.kind == "live":
        raise failure(RedboothError, "lesson", "practice_only")
    return provider


@contextmanager
def pretend(
    status: int = 0,
    text: str = "",
    content_type: str = "text/html; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Let every request to Redbooth inside the block get this made-up answer; nothing is sent.

    status 0: no answer at all, as if there were no network. For what no provider does on demand.
    """

    def send(request: requests.PreparedRequest, **_: Any) -> requests.Response:
        if not status:
            raise requests.ConnectionError("There is no network. (This is made up.)")
        return made_up(request, status, {"Content-Type": content_type, **(headers or {})}, text)

    adapter = HTTPAdapter()
    adapter.send = send  # type: ignore[method-assign,assignment]
    with patch.object(practice_only(), "deliver", lambda session: session.mount(f"{ORIGIN}/", adapter)):
        yield


def made_up(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], text: str = ""
) -> requests.Response:
    """Return a made-up answer to a request."""
    raw = HTTPResponse(BytesIO(text.encode()), headers, status, reason=responses.get(status), preload_content=False)
    return HTTPAdapter().build_response(request, raw)


def let_time_pass(seconds: float) -> None:
    """Move the provider's clock ahead by `seconds`, and say so.

    Where the clock cannot be moved: wait until the token has expired if that is soon, else say how long it lives.
    """
    settings = Settings.load()
    provider, token = settings.provider, TokenStore(settings.folder).load()
    if provider.let_time_pass(seconds):
        words = f"{seconds / HOUR:.3g} hours" if seconds >= HOUR else f"{seconds / 60:.3g} minutes"
        print(f"{words} have passed.")
        return
    left = token.remaining(provider.now()) if token else None
    if left is None or left > LONGEST_WAIT:
        lives = f" Your token is valid for another {left / 60:.0f} minutes." if left else ""
        print(f"The clock of {provider.label} cannot be moved.{lives} The next cells show what can be shown anyway.")
        return
    time.sleep(max(left, 0) + 1)
    print(f"The clock of {provider.label} cannot be moved. Instead, this cell waited until the token had expired.")
