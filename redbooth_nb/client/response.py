"""Stage 2, the answer: what the redirect says, and whether it belongs to our request (RFC 6749 section 4.1.2).

The whole callback URL is read, never a bare code: only then can `state` be checked (RFC 6749 section 10.12).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from redbooth_nb.client.authorize import NONCE_NAME, AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import (
    CallbackError,
    StateAlreadyUsed,
    StateEmpty,
    StateError,
    StateMismatch,
    StateMissing,
    StateStale,
    StateSuperseded,
    failure,
    meaning_of,
)
from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import Token
from redbooth_nb.errors import NotYet, only_kit_errors, printable
from redbooth_nb.secret import Secret, same_text
from redbooth_nb.traffic.redaction import hide_in_text

# each may appear only once
ANSWER_PARAMETERS = frozenset(
    {"code", "error", "error_description", "state", "access_token", "token_type", "expires_in", "scope"}
)
CODE_LIFETIME = 600  # seconds; what Doorkeeper gives a code
LONGEST_URL = 64 * 1024  # characters


class Outcome(StrEnum):
    """How an authorization ended."""

    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True)
class AuthorizationResponse:
    """What the user's decision brought back.

    state_check: how the answer was matched to the request. state: as it came back, None when it did not.
    callback_url: the whole address; see `url_for_oauthlib`.
    """

    request: AuthorizationRequest
    callback_url: Secret
    outcome: Outcome
    state_check: str
    state: str | None
    code: Secret | None = None
    token: Token | None = None
    error: str = ""
    error_description: str = ""

    @classmethod
    @only_kit_errors
    def read(
        cls, callback_url: str, request: AuthorizationRequest, *, accept_missing_state: bool = False
    ) -> "AuthorizationResponse":
        """Read a callback URL as the answer to `request`, once.

        accept_missing_state: take an answer without `state`, giving up the protection that it gives.
        Raises CallbackError when the text is no answer for this app, StateError when it is not the answer to
        this request; the request then stays open. A denial is not an error: it is an outcome.
        """
        callback_url = callback_url.strip()  # pasted by hand, it often comes with a space or a line break
        fields, now = _fields(callback_url, request), request.settings.provider.now()
        pending = PendingAuthorization(request.settings)
        with pending.lock():  # another notebook may be reading it, or making a new request
            record = pending.load()
            state_check = _check_state(fields, request, record, accept_missing=accept_missing_state)
            response = cls._from_fields(fields, request, Secret("callback URL", callback_url), state_check)
            pending.answer(record, response.callback_url, now)
        return response

    @classmethod
    @only_kit_errors
    def last(cls, settings: Settings | None = None) -> "AuthorizationResponse":
        """Return the answer that came last and whose code was not sent yet, for example in the next notebook.

        Raises NotYet when there is none.
        """
        settings = settings or Settings.load()
        pending = PendingAuthorization(settings)
        record = pending.load()
        url = record.get("callback_url")
        if not url or settings.provider.now() - record["answered_at"] > CODE_LIFETIME:
            raise failure(NotYet, "pending", "no_answer")
        request = pending.request(record)
        return cls._from_fields(_fields(url, request), request, Secret("callback URL", url), "matched when it arrived")

    @classmethod
    def _from_fields(
        cls, fields: dict[str, str], request: AuthorizationRequest, url: Secret, state_check: str
    ) -> "AuthorizationResponse":
        found: dict[str, Any] = {"outcome": Outcome.ALLOWED}
        if "error" in fields:  # it wins over a code in the same answer
            found = {name: printable(hide_in_text(fields.get(name, ""))) for name in ("error", "error_description")}
            found["outcome"] = Outcome.DENIED if found["error"] == "access_denied" else Outcome.FAILED
        elif fields.get("access_token") and request.response_type == "token":
            found["token"] = Token.from_answer(dict(fields), request.settings.provider.now())
        elif fields.get("code"):
            found["code"] = Secret("authorization code", fields["code"])
        else:
            raise failure(CallbackError, "callback", "empty")
        return cls(request, url, state_check=state_check, state=fields.get("state"), **found)

    @property
    def url_for_oauthlib(self) -> str:
        """The callback URL as oauthlib wants to read it: with https.

        oauthlib refuses every http address, also this one, which only travelled inside your own machine.
        Nothing is sent to the address; it is only read. It holds the code: do not display it.
        """
        return "https://" + self.callback_url.reveal().partition("://")[2]

    def describe(self) -> str:
        """Say in words what came back."""
        if self.outcome is Outcome.ALLOWED:
            what = self.code or (self.token and self.token.access_token)
            return f"Allowed: {what!r} came back, and state was {self.state_check}."
        known = meaning_of("authorize", self.error)
        said = f' Redbooth says: "{self.error_description}"' if self.error_description else ""
        return f"{self.outcome.capitalize()}: {self.error}. {known.what}{said}\nWhat to do: {known.remedy}"


def _check_state(
    fields: dict[str, str], request: AuthorizationRequest, record: dict[str, Any], *, accept_missing: bool
) -> str:
    """Return how the answer was matched to the request: by the `state` that was sent. Raises StateError."""
    state, code = fields.get("state"), "mismatch"
    kind: type[StateError] = StateMismatch
    if not same_text(str(record["state"]), request.state):
        kind, code = StateSuperseded, "anothers" if same_text(str(record["state"]), state or "") else "superseded"
    elif record["answered"]:
        kind, code = StateAlreadyUsed, "used"
    elif state and same_text(state, request.state):
        return "the value that was sent"
    elif state is None and request.nonce and same_text(fields.get(NONCE_NAME, ""), request.nonce):
        return "absent, but the random part of the redirect URI came back and proves the same"
    elif state is None and accept_missing:
        return "absent, and accepted because you said so"
    elif state is None:
        kind, code = StateMissing, "nonce_missing" if request.nonce else "missing"
    elif not state:
        kind, code = StateEmpty, "empty"
    elif any(same_text(state, str(old)) for old in record["stale_states"]):
        kind, code = StateStale, "stale"
    error: StateError = failure(kind, "state", code)
    error.received = state
    raise error


def _fields(url: str, request: AuthorizationRequest) -> dict[str, str]:
    """Return the parameters of the answer, each at most once. Raises CallbackError.

    A code comes in the query, where oauthlib looks for it too; only an implicit answer uses the fragment.
    """
    problem, pairs = _address_problem(url, request), []
    if not problem:
        parts = urlsplit(url)
        texts = (parts.query, parts.fragment if request.response_type == "token" else "")
        pairs = [pair for text in texts for pair in parse_qsl(text, keep_blank_values=True)]
        own = {name for name, _ in parse_qsl(urlsplit(request.redirect_uri).query, keep_blank_values=True)}
        seen = [name for name, _ in pairs if name in ANSWER_PARAMETERS | own]
        repeated = sorted({name for name in seen if seen.count(name) > 1})
        problem = f"It contains {' and '.join(repeated)} more than once." if repeated else ""
    if problem:
        raise failure(CallbackError, "callback", "address", problem=problem)
    return dict(pairs)


def _address_problem(url: str, request: AuthorizationRequest) -> str:
    """Say why this is no address of the redirect URI, "" when it is."""
    if len(url) > LONGEST_URL:
        return f"It is longer than {LONGEST_URL // 1024} KiB."
    if not url.isprintable() or " " in url:
        return "It contains spaces, line breaks, or characters that no address has."
    try:
        parts, registered = urlsplit(url), urlsplit(request.redirect_uri)
        parse_qsl(f"{parts.query}&{parts.fragment}", max_num_fields=100)
        same = _place(parts) == _place(registered)
    except ValueError:
        return "It is not a valid address."
    return "" if same else f"It does not begin with your redirect URI, {request.redirect_uri.partition('?')[0]}."


def _place(uri: SplitResult) -> tuple[object, ...]:
    # browsers write an empty path as a slash, and leave out the port that goes with the scheme
    port = uri.port or {"http": 80, "https": 443}.get(uri.scheme)
    return uri.scheme, uri.hostname, port, uri.path or "/"
