"""How the client reaches Redbooth: delivery to the current provider, limits on time and size, failures with a name."""

import logging
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from http.client import responses
from typing import Any, TypeVar
from urllib.parse import unquote

import requests
from requests import exceptions
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from redbooth_nb.client.errors import ApiError, TransportError, failure
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.provider.delivery import Provider, current_provider
from redbooth_nb.traffic.redaction import hide_in_text
from redbooth_nb.traffic.transcript import transcript

S = TypeVar("S", bound=requests.Session)
TIMEOUT = (5, 30)  # seconds to connect, and between two bytes: headers that trickle in can take longer in all
LARGEST = 16 * 2**20  # bytes of a response; a page of the API's longest lists is a small part of that
SLOWEST = 60.0  # seconds for the body, from the end of the headers

# In a call of the client's own: the statuses that have come back.
_statuses: ContextVar[list[int] | None] = ContextVar("statuses", default=None)
# At DEBUG requests-oauthlib logs whole bodies and tokens, and urllib3 logs header lines that it cannot parse. The
# transcript shows the kit's own calls without the secrets; what a learner's own cell does is still logged.
for _library in ("requests_oauthlib.oauth2_session", "urllib3.connection"):
    logging.getLogger(_library).addFilter(lambda _: _statuses.get() is None)


def connect(session: S, provider: Provider | None = None) -> S:
    """Let a `requests.Session` or `OAuth2Session` reach `provider` (default: the current one); return the session.

    The transcript records the responses, without the secrets. For redbooth.com the addresses stay as they are.
    """
    (provider or current_provider()).deliver(session)
    # otherwise requests replaces the Authorization header with a password from ~/.netrc, if there is one for the host
    session.auth = session.auth or (lambda request: request)
    if transcript.note not in session.hooks["response"]:
        session.hooks["response"].append(transcript.note)
    return session


def connect_bounded(session: S, provider: Provider, largest: int = LARGEST, slowest: float = SLOWEST) -> S:
    """Connect a session for the client's own requests: each response is read at once, within these bounds."""
    read = partial(read_within, largest=largest, slowest=slowest)
    connect(session, provider).hooks["response"].insert(0, read)  # before the transcript, which reads everything
    return session


def api_address(path: str) -> str:
    """Return the address of a path of the API. Raises ApiError for one outside of it, where the token must not go."""
    url = path if path.startswith(f"{API_URL}/") else f"{API_URL}/{path.removeprefix('/')}"
    address = url.partition("?")[0].partition("#")[0]
    parts = re.split(r"[/\\]", unquote(unquote(address.removeprefix(API_URL))))
    if "://" in address.removeprefix("https://") or {".", ".."} & set(parts) or not address.isprintable():
        raise failure(ApiError, "call", "outside", path=hide_in_text(path.partition("?")[0]), api=API_URL)
    return url


def bearer_problem(header: str) -> str:
    """Return "expired", "revoked" or "invalid" from a `WWW-Authenticate` header, "" when it is about something else.

    Only what the header says decides (RFC 6750 section 3.1): a 401 without invalid_token may mean "not allowed".
    """
    parts = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,"]*))', header)
    fields = {name: quoted or plain for name, quoted, plain in parts}
    if fields.get("error") != "invalid_token":
        return ""
    return next((word for word in ("expired", "revoked") if word in fields.get("error_description", "")), "invalid")


class UnboundedResponse(requests.RequestException):
    """The body of a response is too large, or does not come to an end."""


def read_within(response: requests.Response, *, largest: int, slowest: float, **_: Any) -> None:
    """Read the body of a response. Raises UnboundedResponse for more than `largest` bytes, or after `slowest` seconds.

    It is read as it arrives, so that a response that trickles in is noticed. The headers have come by then.
    """
    body, end = bytearray(), time.monotonic() + slowest
    # one read1 can block for a long time, so a timer shuts the socket
    clock = threading.Timer(slowest, _shut, [response])
    clock.daemon = True
    with suppress(RuntimeError):  # a Python without threads, as in a browser: there is no socket either
        clock.start()
    read = response.raw.read1
    if (came := _statuses.get()) is not None:
        came.append(response.status_code)
    try:
        while len(body) <= largest and time.monotonic() < end and (part := read(8192, decode_content=True)):
            body += part
    except HTTPError:
        if time.monotonic() < end:
            raise
    finally:
        clock.cancel()
    vars(response).update(_content=bytes(body), _content_consumed=True)  # where requests itself keeps what it has read
    late = time.monotonic() >= end  # a response that was cut off can look like one that ended
    if late or len(body) > largest:
        response.raw.close()
        problem = f"did not end within {slowest:g} s" if late else f"is larger than {largest // 1024} KiB"
        raise UnboundedResponse(problem, response=response)


def _shut(response: requests.Response) -> None:
    with suppress(OSError, ValueError, RuntimeError):  # it has just ended
        response.raw.shutdown()


@contextmanager
def named_failures(what: str, *, also: str = "") -> Iterator[None]:
    """Turn whatever the libraries raise in the block into a TransportError, and keep them from logging secrets.

    what: the request, to begin the error with. also: what to add to its remedy.
    """
    came: list[int] = []
    before = _statuses.set(came)
    try:
        yield
    except (OSError, HTTPError, ValueError, LookupError) as error:  # requests' own are OSErrors
        named = transport_failure(error, what)
        named.sent = named.sent or bool(came)  # a redirect came, and its target failed
        named.remedy += also if named.sent else ""
        raise named from None
    finally:
        _statuses.reset(before)


def transport_failure(error: Exception, what: str) -> TransportError:
    """Return an error that says why there was no response. The original one holds secrets and is not kept."""
    code = next((code for kind, code in _FAILURES if isinstance(error, kind)), "unreadable")
    if isinstance(error, exceptions.InvalidHeader) and error.request is not None:
        code = "unreadable"  # a header of the response
    response = getattr(error, "response", None)
    status = f" returned {status_of(response)}" if response is not None else ""
    problem = error if isinstance(error, UnboundedResponse) else ""
    named = failure(TransportError, "transport", code, before=f"{what}{status}: ", problem=problem)
    # If the connection was never made, or not trusted, nothing was sent. requests wraps urllib3's error, which says why
    # it gave up: ConnectionError(MaxRetryError(reason=NewConnectionError)) or, for TLS, ...(reason=SSLError(...))).
    reason = getattr(_first_argument(error), "reason", None)
    reason = getattr(reason, "original_error", reason)  # a proxy's
    untrusted = isinstance(_first_argument(reason), ssl.SSLCertVerificationError)
    not_connected = isinstance(reason, NewConnectionError | ConnectTimeoutError) or str(reason).startswith(NO_TUNNEL)
    never_built = code in NEVER_SENT and not getattr(error, "errno", None)  # sockets' errors have one
    named.sent = not (untrusted or not_connected or never_built)
    return named


def _first_argument(error: object) -> object:
    return next(iter(getattr(error, "args", ())), None)


_FAILURES: tuple[tuple[Any, str], ...] = (  # the first that fits
    (UnboundedResponse, "unbounded"),
    (exceptions.JSONDecodeError, "unreadable"),
    ((exceptions.InvalidJSONError, exceptions.InvalidHeader, UnicodeEncodeError), "unsendable"),
    ((exceptions.InvalidURL, exceptions.InvalidSchema), "address"),  # a proxy's: all the others come from the kit
    (exceptions.ProxyError, "proxy"),
    (exceptions.SSLError, "certificate"),
    (exceptions.ConnectTimeout, "connect"),
    ((exceptions.ReadTimeout, ReadTimeoutError), "answer"),
    (exceptions.TooManyRedirects, "redirect"),
    (exceptions.ConnectionError, "connection"),
    (exceptions.RequestException, "unreadable"),
    (OSError, "no_file"),
)
NEVER_SENT = {"unsendable", "address", "no_file"}
NO_TUNNEL = "Tunnel connection failed"  # http.client's words when a proxy refuses to connect to redbooth.com


def status_of(response: requests.Response) -> str:
    """Return status and reason, such as "302 Found"."""
    return f"{response.status_code} {responses.get(response.status_code, '')}".strip()
