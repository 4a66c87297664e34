"""Stage 2, authorize: the request that sends the user to Redbooth (guide, chapter 2; RFC 6749 section 4.1.1)."""

import hashlib
import html
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth2 import WebApplicationClient

from redbooth_nb.client.errors import CodeAlreadySent, StoreError, failure, meanings
from redbooth_nb.client.private_file import PrivateFile, locked
from redbooth_nb.client.register import NONCE_NAME, Settings
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.secret import Secret, same_text

STATE_BYTES = 32  # 256 bits; RFC 6749 section 10.10 asks for at least 128
MOST_REMEMBERED = 200  # states of earlier requests, and codes that were sent
URL_FIELDS = ("response_type", "redirect_uri", "scope", "state")
KEPT_FIELDS = (*URL_FIELDS, "nonce")  # of a request, besides the verifier


@dataclass(frozen=True)
class AuthorizationRequest:
    """One request for the user's permission. Make a new one for every attempt: `AuthorizationRequest.new()`.

    state: random, goes out and must come back. code_verifier: only with PKCE.
    nonce: a second random value inside the redirect URI, for a service that loses `state`. It is not OpenID's nonce.
    """

    settings: Settings
    response_type: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    code_verifier: Secret | None

    @classmethod
    @only_kit_errors
    def new(
        cls,
        settings: Settings | None = None,
        *,
        response_type: str = "code",
        scope: str = "",
        pkce: bool = False,
        nonce: bool = False,
    ) -> "AuthorizationRequest":
        """Prepare a request with a fresh `state`, and remember it on disk as the one under way.

        pkce: add a code challenge (RFC 7636); there is no sign that redbooth.com checks it.
        nonce: add a random query parameter to the redirect URI. The guide allows that: host and path must match.
        Raises NotYet before an app is registered, StoreError when the request cannot be kept.
        """
        if not isinstance(response_type, str) or not isinstance(scope, str):
            raise TypeError("response_type and scope are strings")
        settings = settings or Settings.load()
        state, redirect_uri, verifier = secrets.token_urlsafe(STATE_BYTES), settings.redirect_uri, None
        added = secrets.token_urlsafe(STATE_BYTES) if nonce else ""
        redirect_uri += f"{'&' if '?' in redirect_uri else '?'}{NONCE_NAME}={added}" if nonce else ""
        if pkce:
            verifier = Secret("code verifier", WebApplicationClient(settings.client_id).create_code_verifier(64))
        request = cls(settings, response_type, redirect_uri, scope, state, nonce=added, code_verifier=verifier)
        PendingAuthorization(settings).begin(request)
        return request

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters in the guide's order, not yet encoded."""
        values = {
            "response_type": self.response_type,
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
        }
        if self.code_verifier is not None:
            web = WebApplicationClient(self.settings.client_id)
            values["code_challenge"] = web.create_code_challenge(self.code_verifier.reveal(), "S256")
            values["code_challenge_method"] = "S256"
        return {name: value for name, value in values.items() if value}

    @property
    def url(self) -> str:
        """The guide's authorize address, with every parameter URL-encoded, for GET."""
        return f"{AUTHORIZE_URL}?{urlencode(self.parameters)}"

    @property
    def link(self) -> str:
        """What the user clicks: `url`, changed so that this machine's browser finds the current provider."""
        return self.settings.provider.link(self.url)

    @property
    def form(self) -> str:
        """The same request as an HTML form, to send it by POST: to the guide's address, not to a stand-in."""
        fields = [f'  <input type="hidden" name="{n}" value="{html.escape(v)}">' for n, v in self.parameters.items()]
        button = '  <button type="submit">Sign in with Redbooth</button>'
        return "\n".join([f'<form method="post" action="{AUTHORIZE_URL}">', *fields, button, "</form>"])

    def describe(self) -> list[tuple[str, str, str]]:
        """Return name, value and meaning of every parameter."""
        return [(name, value, meanings()["parameter"][name]) for name, value in self.parameters.items()]


@only_kit_errors
def adopt(url: str, settings: Settings | None = None) -> AuthorizationRequest:
    """Record the request that `OAuth2Session.authorization_url` made; it is then the one under way.

    Raises RedboothError unless `url` asks for this app, with a new `state`, without PKCE or parameters of your own.
    """
    settings = settings or Settings.load()
    given = parse_qsl(str(url).partition("?")[2], keep_blank_values=True)
    fields = {name: dict(given).get(name, "") for name in URL_FIELDS}
    request = AuthorizationRequest(settings, **fields, nonce="", code_verifier=None)
    unchanged = str(url).startswith(f"{AUTHORIZE_URL}?") and sorted(given) == sorted(request.parameters.items())
    uris = (request.redirect_uri, settings.redirect_uri)
    asked, registered = (re.sub(r":\d+(?=/|$)", "", uri.partition("?")[0]) for uri in uris)  # without ports
    if not (unchanged and request.state and asked == registered and "#" not in str(url)):
        raise failure(RedboothError, "pending", "foreign")
    PendingAuthorization(settings).begin(request)
    return request


class PendingAuthorization:
    """The request under way and, once it has arrived, its answer: on disk, so that they survive a restart.

    README.md lists the fields. This file's lock is never held during an HTTP request; the token's lock is.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self._file = settings, PrivateFile(settings.folder / "authorization.json")

    @only_kit_errors
    def begin(self, request: AuthorizationRequest) -> None:
        """Replace the request under way. Raises RedboothError if an earlier one had the same state."""
        with locked(self._file.path.with_suffix(".lock")):
            stale, sent = [], []
            with suppress(NotYet, StoreError):
                before = self.load()
                stale, sent = before["stale_states"], before["sent_codes"]
                # a cell that is run again adopts the same request once more
                same_request = not before["answered"] and same_text(before["state"], request.state)
                stale = stale if same_request else [*stale, before["state"]][-MOST_REMEMBERED:]
            if any(same_text(request.state, old) for old in stale):
                raise failure(RedboothError, "pending", "known_state")
            record: dict[str, Any] = {name: getattr(request, name) for name in KEPT_FIELDS}
            record["code_verifier"] = request.code_verifier and request.code_verifier.reveal()
            self._file.write(record | {"answered": False, "stale_states": stale, "sent_codes": sent})

    @only_kit_errors
    def load(self) -> dict[str, Any]:
        """Return the record. Raises NotYet when nothing is under way, StoreError when it cannot be read."""
        if (record := self._file.read()) is None:
            raise failure(NotYet, "pending", "missing")
        kinds = {**dict.fromkeys(KEPT_FIELDS, str), "answered": bool, "stale_states": list, "sent_codes": list}
        if not all(isinstance(record.get(name), kind) for name, kind in kinds.items()):
            raise self._file.problem("damaged")
        return record

    @only_kit_errors
    def request(self, record: dict[str, Any] | None = None) -> AuthorizationRequest:
        """Return the request of `record` (default: the one under way), for example after a kernel restart."""
        record = record or self.load()
        verifier = Secret("code verifier", record["code_verifier"]) if record.get("code_verifier") else None
        kept = {name: record[name] for name in KEPT_FIELDS}
        return AuthorizationRequest(self.settings, **kept, code_verifier=verifier)

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Under the lock, yield the record, then write it with its changes. After an error nothing is written."""
        with locked(self._file.path.with_suffix(".lock")):
            record = self.load()
            yield record
            self._file.write(record)

    @only_kit_errors
    def mark_code_sent(self, request: AuthorizationRequest, code: Secret) -> None:
        """Record that the code is about to be sent, and delete the callback URL it came in. Raises CodeAlreadySent."""
        mark = hashlib.sha256(code.reveal().encode()).hexdigest()
        with self.change() as record:
            if mark in record["sent_codes"]:
                raise failure(CodeAlreadySent, "exchange", "sent_before")
            record["sent_codes"] = [*record["sent_codes"], mark][-MOST_REMEMBERED:]
            if same_text(record["state"], request.state):
                record.pop("callback_url", None)

    @only_kit_errors
    def unmark_code_sent(self, request: AuthorizationRequest, code: Secret, callback_url: Secret) -> None:
        """Undo `mark_code_sent`. Only for when it is certain that nothing was sent."""
        with self.change() as record:
            mark = hashlib.sha256(code.reveal().encode()).hexdigest()
            record["sent_codes"] = [sent for sent in record["sent_codes"] if sent != mark]
            if same_text(record["state"], request.state):
                record["callback_url"] = callback_url.reveal()
