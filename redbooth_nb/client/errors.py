"""Every failure of the flow: what the guide lists, what the RFCs specify, and what Doorkeeper sends.

The sentences are in `meanings.toml`, one table for each step.
"""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from redbooth_nb.errors import RedboothError, wordings
from redbooth_nb.traffic.redaction import hide_in_text

E = TypeVar("E", bound=RedboothError)
LONGEST_CODE = 60  # characters shown of an error code or content type


class TokenEndpointError(RedboothError):
    """The token endpoint said no, or something that is not a token.

    status: the HTTP status. error: the OAuth2 error code, empty when the response held none.
    """

    status: int = 0
    error: str = ""

    @property
    def refused(self) -> bool:
        """Whether it is a 4xx with an error code: the service used nothing up (but a code is not sent again anyway)."""
        return bool(self.error) and HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR


class ApiError(RedboothError):
    """A call to the API failed."""


class AuthorizeAgain(RedboothError):
    """The permission is gone, or its tokens are lost. Only the user can help, by authorizing again."""


class CodeAlreadySent(RedboothError):
    """This code has been sent before. A code works once, and sending it again would look like theft."""


class TransportError(RedboothError):
    """The request got no response that could be read: no network, no server, too slow, or not trusted.

    sent: False when it is certain that nothing was sent.
    """

    sent: bool = True


class StoreError(RedboothError):
    """A file of the kit cannot be read, written or locked. What it held is still there."""


class CallbackError(RedboothError):
    """A callback URL cannot be used."""


class StateError(CallbackError):
    """`state` does not prove that the answer belongs to our request.

    problem: why not: "mismatch", "stale" (the answer to an earlier request), "for_newer_request" (the answer to a newer
    one), "superseded" (a newer one was made), "empty", "missing", "nonce_missing" or "used" (it was answered before).
    received: the state that came back, None when it was absent.
    """

    problem: str = ""
    received: str | None = None


def failure(kind: type[E], step: str, code: str, /, *, before: str = "", **values: Any) -> E:
    """Return an error of this kind that says what `code` means at `step`, which is a table of `meanings.toml`.

    If no specification lists the code, the error says so. before: what to say first. values: for the names in braces.
    """
    known = code in meanings()[step]
    texts = meanings()[step][code] if known else meanings()["unspecified"]
    quoted = "" if known else hide_in_text(code)[:LONGEST_CODE]  # a service may put a secret there
    parts = {name: text.format_map({"code": f"{quoted!a}", **values}) for name, text in texts.items()}
    return kind(before + parts.pop("what"), **parts)


explanation_of = partial(failure, RedboothError)  # the words of an error that is shown, not raised


def sentences(table: str, findings: Mapping[str, object], **values: str) -> list[str]:
    """Return the sentence of each finding that is true, from a table of `meanings.toml`."""
    return [meanings()[table][name].format_map(values) for name, is_so in findings.items() if is_so]


def meanings() -> dict[str, Any]:
    """Return the tables of `meanings.toml`."""
    return wordings(Path(__file__).with_name("meanings.toml"))
