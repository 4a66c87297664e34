"""How the client reaches Redbooth: delivery to the current provider, time limits, and failures with a name."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import requests

from redbooth_nb.client.errors import TransportError
from redbooth_nb.client.transcript import reason, transcript
from redbooth_nb.errors import without_frames
from redbooth_nb.provider.delivery import current_provider

S = TypeVar("S", bound=requests.Session)
TIMEOUT = (5, 30)  # seconds to connect, and between two bytes of the answer


_own_call: ContextVar[bool] = ContextVar("own_call", default=False)
# At DEBUG requests-oauthlib logs whole bodies and tokens. The transcript shows the kit's own calls without the secrets;
# what a learner's own cell does with the library is still logged.
logging.getLogger("requests_oauthlib.oauth2_session").addFilter(lambda _: not _own_call.get())


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep a call of the kit, in this thread, out of the libraries' debug logs."""
    before = _own_call.set(True)
    try:
        yield
    finally:
        _own_call.reset(before)


def connect(session: S) -> S:
    """Let a `requests.Session` or `OAuth2Session` reach the current provider, and note what it says.

    On redbooth.com itself nothing is redirected: the same cell works there. Returns the session.
    """
    current_provider().deliver(session)
    # else requests replaces the Authorization header by a password from ~/.netrc, where one stands for the host
    session.auth = session.auth or _as_it_is
    hooks = session.hooks.setdefault("response", [])
    if transcript.note not in hooks:
        hooks.append(transcript.note)
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@without_frames
def send(session: requests.Session, method: str, url: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
    """Send one request with time limits. Raises TransportError when there is no answer."""
    arguments.setdefault("timeout", TIMEOUT)
    try:
        return session.request(method, url, **arguments)
    except requests.RequestException as error:
        failure = transport_failure(error, f"{method} {url.partition('?')[0]}")
    raise failure


def _status(error: requests.RequestException) -> str:
    status = error.response.status_code if error.response is not None else 0
    return f" ({status} {reason(status)})" if status else ""


def transport_failure(error: requests.RequestException, what: str) -> TransportError:
    """Say in words why there was no answer. The original error is not kept: it holds the request's secrets."""
    reference = "RFC 6749 section 1.6"
    if isinstance(error, requests.exceptions.SSLError):
        return TransportError(
            f"{what}: the secure connection could not be made.",
            why="The certificate is not valid for this host, or something between you and it rewrites traffic.",
            remedy="Check the machine's clock and your network. The kit never turns the check off.",
            reference=reference,
        )
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout):
        when = "connect" if isinstance(error, requests.exceptions.ConnectTimeout) else "answer"
        return TransportError(
            f"{what}: the server did not {when} in time.", remedy="Check your network, then try again."
        )
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return TransportError(
            f"{what}: the server sent the request on to another address{_status(error)}.",
            why="Credentials are not sent to an address that the answer names.",
            remedy="Check the address; it may have been a login page or a captive network.",
        )
    if isinstance(error, requests.exceptions.ConnectionError):
        return TransportError(
            f"{what}: no connection.",
            why="The server cannot be reached, refused, or closed the connection in the middle.",
            remedy="Check your network and proxy settings, then try again.",
        )
    return TransportError(f"{what}: the answer could not be read.", remedy="Try again; see the transcript.")
