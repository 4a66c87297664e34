"""Stage 2, the answer: what the redirect says, and whether it belongs to our request (RFC 6749 section 4.1.2).

The whole callback URL is read, never a bare code: only then can `state` be checked (RFC 6749 section 10.12).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import CallbackError, StateError, explanation_of, failure
from redbooth_nb.client.register import ANSWER_PARAMETERS, NONCE_NAME, Settings
from redbooth_nb.client.token import Token
from redbooth_nb.errors import NotYet, only_kit_errors, printable
from redbooth_nb.secret import Secret, same_text
from redbooth_nb.traffic.redaction import hide_in_text

LONGEST_URL = 64 * 1024  # characters
CODE_LIFETIME = 600  # seconds; what Doorkeeper gives a code


class Outcome(StrEnum):
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
    def read(cls, callback_url: str, request: AuthorizationRequest, *, accept_missing_state: bool = False) -> Self:
        """Read a callback URL as the answer to `request`, once.

        accept_missing_state: take an answer without `state`, giving up the protection that it gives.
        Raises CallbackError when the text isn't an answer for this app, StateError when it is not the answer to
        this request, TokenEndpointError when an implicit answer (response_type=token) holds no valid token. None of
        these changes the request: it can still be answered, unless it has been, or a newer one was made. NotYet or
        StoreError when the request cannot be read.
        A denial is not an error: it is an outcome.
        """
        callback_url = callback_url.strip()  # pasted by hand, it often comes with a space or a line break
        fields, now = _fields(callback_url, request), request.settings.provider.now()
        with PendingAuthorization(request.settings).change() as record:  # written unless something is raised
            state_check = _check_state(fields, request, record, accept_missing=accept_missing_state)
            response = cls._from_fields(fields, request, callback_url, state_check, now)
            record |= {"answered": True, "answered_at": now, "state_check": state_check}
            if "access_token" not in fields:  # a callback URL with a token is not kept: nothing would delete it
                record["callback_url"] = callback_url
        return response

    @classmethod
    @only_kit_errors
    def last(cls, settings: Settings | None = None) -> Self:
        """Return the last answer, for example in the next notebook.

        Raises NotYet when there is none, its code was sent, or it is older than ten minutes.
        """
        settings = settings or Settings.load()
        pending = PendingAuthorization(settings)
        record = pending.load()
        url = record.get("callback_url")
        if not url or settings.provider.now() - record["answered_at"] > CODE_LIFETIME:
            raise failure(NotYet, "pending", "no_answer")
        request, check = pending.request(record), record.get("state_check", "checked when it arrived")
        return cls._from_fields(_fields(url, request), request, url, check, record["answered_at"])

    @classmethod
    def _from_fields(
        cls, fields: dict[str, str], request: AuthorizationRequest, url: str, state_check: str, now: float
    ) -> Self:
        found: dict[str, Any] = {"outcome": Outcome.ALLOWED}
        if "error" in fields:  # it takes precedence over a code in the same answer
            found = {name: printable(hide_in_text(fields.get(name, ""))) for name in ("error", "error_description")}
            found["outcome"] = Outcome.DENIED if found["error"] == "access_denied" else Outcome.FAILED
        elif fields.get("access_token") and request.response_type == "token":
            found["token"] = Token.from_response(dict(fields), now)
        elif fields.get("code") and request.response_type != "token":
            found["code"] = Secret("authorization code", fields["code"])
        else:
            raise failure(CallbackError, "callback", "empty")
        secret = Secret("callback URL", url)
        return cls(request, secret, state_check=state_check, state=fields.get("state"), **found)

    @only_kit_errors
    def use(self) -> str:
        """Return `url_for_oauthlib`, once: from now on the code counts as sent.

        Raises NotYet without a code, CodeAlreadySent the second time.
        """
        if self.code is None:
            raise failure(NotYet, "exchange", "no_code", answer=self.describe())
        PendingAuthorization(self.request.settings).mark_code_sent(self.request, self.code)
        return self.url_for_oauthlib

    def put_back(self) -> None:
        """Undo `use`. Only for when it is certain that nothing was sent."""
        if self.code:
            PendingAuthorization(self.request.settings).unmark_code_sent(self.request, self.code, self.callback_url)

    @property
    def url_for_oauthlib(self) -> str:
        """The callback URL as oauthlib wants to read it: with https, and with the `state` that it will compare.

        oauthlib refuses every http address, even on this machine, where nothing can be overheard; an app's own scheme
        (com.example.app:/callback) it refuses, too. A `state` that did not come back is added: `read` has accepted the
        answer on other grounds.
        Nothing is sent to the address; it is only read. It holds the code: do not display it.
        """
        parts = urlsplit(self.callback_url.reveal())
        added = urlencode({"state": self.request.state}) if self.state is None else ""
        query = "&".join(filter(None, (parts.query, added)))
        return parts._replace(scheme="https", netloc=parts.netloc or "app", query=query).geturl()

    def describe(self) -> str:
        """Say in words what came back."""
        if self.outcome is Outcome.ALLOWED:
            what = self.code or (self.token and self.token.access_token)
            return f"Allowed: {what!r} came back, and state was {self.state_check}."
        known = explanation_of("authorize", self.error)
        said = f' Redbooth says: "{self.error_description}"' if self.error_description else ""
        return f"{self.outcome.capitalize()}: {self.error}. {known.what}{said}\nWhat to do: {known.remedy}"


def _check_state(
    fields: dict[str, str], request: AuthorizationRequest, record: dict[str, Any], *, accept_missing: bool
) -> str:
    """Say how the answer was matched: by `state`, by the nonce, or not at all if that is allowed. Raises StateError."""
    state = fields.get("state")
    if not same_text(record["state"], request.state):  # a newer request was made: is this the answer to that one?
        problem = "for_newer_request" if same_text(record["state"], state or "") else "superseded"
    elif record["answered"]:
        problem = "used"
    elif state and same_text(state, request.state):
        return "the value that was sent"
    elif state:
        problem = "stale" if any(same_text(state, old) for old in record["stale_states"]) else "mismatch"
    elif state is not None:
        problem = "empty"
    elif request.nonce and same_text(fields.get(NONCE_NAME, ""), request.nonce):
        return "absent, but the random part of the redirect URI came back, which proves the same thing"
    elif accept_missing:
        return "absent, and accepted because you said so"
    else:
        problem = "nonce_missing" if request.nonce else "missing"
    error = failure(StateError, "state", problem)
    error.problem, error.received = problem, state
    raise error


def _fields(url: str, request: AuthorizationRequest) -> dict[str, str]:
    """Return the parameters of the answer, each at most once. Raises CallbackError.

    A code comes in the query, where oauthlib looks for it too; only an implicit answer uses the fragment.
    """
    registered = urlsplit(request.redirect_uri)
    try:
        came = urlsplit(url)
        answer = f"{came.query}&{came.fragment}" if request.response_type == "token" else came.query
        pairs = parse_qsl(answer, keep_blank_values=True, max_num_fields=100)
        ours = _base(came) == _base(registered) and len(url) <= LONGEST_URL and url.isprintable() and " " not in url
    except ValueError:  # no address at all, or more than a hundred fields
        pairs, ours = [], False
    once = ANSWER_PARAMETERS | {name for name, _ in parse_qsl(registered.query, keep_blank_values=True)}
    names = [name for name, _ in pairs if name in once]
    repeated = sorted({name for name in names if names.count(name) > 1})
    problem = f"It contains {' and '.join(repeated)} more than once." if repeated else ""
    if not ours:
        uri = request.redirect_uri.partition("?")[0]
        problem = f"It does not begin with your redirect URI, {uri}, or it is too long, or contains spaces."
    if problem:
        raise failure(CallbackError, "callback", "address", problem=problem)
    return dict(pairs)


def _base(uri: SplitResult) -> tuple[object, ...]:
    """Return what has to be the same in both addresses."""
    # browsers write an empty path as a slash, and leave out the port that goes with the scheme
    port = uri.port or {"http": 80, "https": 443}.get(uri.scheme)
    return uri.scheme, uri.hostname, port, uri.path or "/"
