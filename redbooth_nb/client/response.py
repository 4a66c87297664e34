"""Stage 2, the way back: what the redirect says, and whether it belongs to our request (RFC 6749 section 4.1.2).

The whole callback URL is read, never a bare code: only then can `state` be checked (RFC 6749 section 10.12).
"""

import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import meaning_of
from redbooth_nb.client.register import Settings
from redbooth_nb.client.secret import Secret
from redbooth_nb.client.state import CallbackError, StateError, check_state
from redbooth_nb.client.token import Token
from redbooth_nb.errors import NotYet, without_frames

KNOWN = frozenset({"code", "error", "error_description", "state", "access_token", "token_type", "expires_in", "scope"})
CODE_LIFETIME = 600  # seconds; what Doorkeeper gives a code
LONGEST_URL = 64 * 1024  # characters


@dataclass(frozen=True)
class AuthorizationResponse:
    """What the user's decision brought back.

    outcome: "allowed", "denied" or "failed". state_check: how the answer was matched to the request.
    state: as it came back, None when it did not.
    callback_url: the whole address, for `fetch_token(authorization_response=...)`.
    """

    request: AuthorizationRequest
    callback_url: Secret
    outcome: str
    state_check: str
    state: str | None
    code: Secret | None = None
    token: Token | None = None
    error: str = ""
    error_description: str = ""

    @classmethod
    @without_frames
    def read(
        cls, callback_url: str, request: AuthorizationRequest, *, accept_missing_state: bool = False
    ) -> "AuthorizationResponse":
        """Read a callback URL as the answer to `request`, once.

        accept_missing_state: take an answer without `state`, giving up the protection it is for.
        Raises CallbackError when the text is no answer for this app, StateError when it is not the answer to
        this request; the request then stays open. A denial is not an error: it is an outcome.
        """
        callback_url = callback_url.strip()  # pasted by hand, it often comes with a space or a line break
        fields = _fields(callback_url, request)
        with _one_at_a_time:
            pending = PendingAuthorization(request.settings)
            try:
                state_check = check_state(fields, request, pending.load(), accept_missing=accept_missing_state)
            except StateError as error:
                error.received = fields.get("state")
                raise
            response = cls._from_fields(fields, request, Secret("callback URL", callback_url), state_check)
            pending.answer(response.callback_url)
        return response

    @classmethod
    @without_frames
    def last(cls, settings: Settings | None = None) -> "AuthorizationResponse":
        """Return the answer that came last and was not spent yet, for example in the next notebook.

        Raises NotYet when there is none.
        """
        settings = settings or Settings.load()
        pending = PendingAuthorization(settings)
        record = pending.load()
        url = record.get("callback_url")
        if not url or settings.provider.now() - record["answered_at"] > CODE_LIFETIME:
            raise NotYet(
                "There is no fresh answer from Redbooth.",
                why="A code works once, and for ten minutes.",
                remedy="Do notebook 02-authorize, or run: catch_up('exchange')",
            )
        request = pending.request()
        return cls._from_fields(
            _fields(url, request),
            request,
            Secret("callback URL", url),
            "matched when it arrived",
        )

    @classmethod
    def _from_fields(
        cls, fields: dict[str, str], request: AuthorizationRequest, url: Secret, state_check: str
    ) -> "AuthorizationResponse":
        state = fields.get("state")
        if "error" in fields:  # it wins over a code in the same answer
            denied = fields["error"] == "access_denied"
            return cls(
                request,
                url,
                "denied" if denied else "failed",
                state_check,
                state,
                error=fields["error"],
                error_description=fields.get("error_description", ""),
            )
        if fields.get("access_token"):
            now = request.settings.provider.now()
            return cls(request, url, "allowed", state_check, state, token=Token.from_answer(dict(fields), now))
        if fields.get("code"):
            return cls(request, url, "allowed", state_check, state, code=Secret("authorization code", fields["code"]))
        raise CallbackError(
            "The address holds neither a code nor an error.",
            why="After Allow Redbooth adds code=..., after Deny error=...; nothing else is an answer.",
            remedy="Copy the whole address line of the page you were sent to.",
            reference="RFC 6749 section 4.1.2",
        )

    @property
    def url_for_oauthlib(self) -> str:
        """The callback URL as oauthlib wants to read it: with https.

        oauthlib refuses every http address, also this one, which only travelled inside your own machine.
        Nothing is sent to the address; it is only read. It holds the code: do not display it.
        """
        return "https://" + self.callback_url.reveal().partition("://")[2]

    def describe(self) -> str:
        """Say in words what came back."""
        if self.outcome == "allowed":
            what = self.code or (self.token and self.token.access_token)
            return f"Allowed: {what!r} came back, and state was {self.state_check}."
        known = meaning_of("authorize", self.error)
        said = f' Redbooth says: "{self.error_description}"' if self.error_description else ""
        return f"{self.outcome.capitalize()}: {self.error}. {known.what}{said}\nWhat to do: {known.remedy}"


_one_at_a_time = threading.Lock()


def _fields(url: str, request: AuthorizationRequest) -> dict[str, str]:
    """Return the parameters of the answer, each at most once. Raises CallbackError, and nothing else.

    A code comes in the query, where oauthlib looks for it too; only an implicit answer uses the fragment.
    """
    problem = ""
    fields: dict[str, str] = {}
    if len(url) > LONGEST_URL:
        problem = f"It is longer than {LONGEST_URL // 1024} KiB."
    elif not url.isprintable() or " " in url:
        problem = "It holds spaces, line breaks or signs that no address has."
    else:
        try:
            parts, registered = urlsplit(url), urlsplit(request.redirect_uri)
            # browsers write an empty path as a slash
            same = (parts.scheme, parts.hostname, parts.port, parts.path or "/") == (
                registered.scheme,
                registered.hostname,
                registered.port,
                registered.path or "/",
            )
            pairs = [
                pair
                for text in (parts.query, parts.fragment if request.response_type == "token" else "")
                for pair in parse_qsl(text, keep_blank_values=True, max_num_fields=100)
            ]
        except ValueError:
            problem = "It is no valid address."
        else:
            own = {name for name, _ in parse_qsl(registered.query, keep_blank_values=True)}
            seen = [name for name, _ in pairs if name in KNOWN or name in own]
            repeated = sorted({name for name in seen if seen.count(name) > 1})
            fields = dict(pairs)
            if not same:
                problem = f"It does not begin with your redirect URI, {request.redirect_uri.partition('?')[0]}."
            elif repeated:
                problem = f"It holds {' and '.join(repeated)} more than once."
    if problem:
        raise CallbackError(
            "This is not the address Redbooth sent the browser back to.",
            why=problem,
            remedy="Copy the whole address line of the page you were sent to.",
            reference="RFC 6749 section 4.1.2",
        )
    return fields
