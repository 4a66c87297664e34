"""The facts that say where the app stands: credentials, the sign-in under way, the token, the transcript.

They are read and never asked for. What is kept of them shows no secret.
"""

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.register import Settings, credentials_file
from redbooth_nb.client.response import CODE_LIFETIME
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.traffic.redaction import hide_in_url
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.traffic.transcript import transcript

OK: Final = 200
# A code is dead by then, so a token that came later was not exchanged for it but refreshed.
SURELY_REFRESHED: Final = CODE_LIFETIME + 60  # seconds after the answer


class Snapshot:
    """What is known at one moment. Reading raises nothing: what cannot be read counts as missing.

    settings, token: what is stored, None where there is none. round_trips: the transcript, without other apps.
    begun: whether a sign-in was begun. outcome: "allowed", "denied", "failed", or "" before the answer.
    error: its error code. implicit: whether it was to bring a token itself. answer: where the browser was sent,
    redacted. code: whether a code came back that can still be sent; stale: whether it is too old for that.
    trouble: for each stage the sentence that says why it could not be read. files: where the facts came from.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.trouble: dict[str, str] = {}
        self.files: tuple[Path, ...] = ()
        self.begun = self.implicit = self.stale = self._spent = False
        self.outcome = self.error = self.answer = ""
        self._answered_at: float | None = None
        self.token: Token | None = None
        self.settings = self._registered(settings)
        app = self.settings.client_id if self.settings else ""
        self.round_trips = [round_trip for round_trip in transcript if _is_of(round_trip, app)]
        if self.settings is not None:
            self._read_sign_in(self.settings)
            self._read_token(self.settings)

    def _registered(self, settings: Settings | None) -> Settings | None:
        try:
            if settings is None:
                configuration = Configuration.read()
                self.files = (credentials_file(configuration, current_provider(configuration)),)
                settings = Settings.load()
        except RedboothError as error:
            self._note("register", error)
            return None
        self.files += tuple(settings.folder / name for name in ("authorization.json", "token.json"))
        return settings

    def _read_sign_in(self, settings: Settings) -> None:
        try:
            self._take(PendingAuthorization(settings).load(), settings.provider.now())
        except RedboothError as error:
            self._note("authorize", error)
        except (TypeError, ValueError, KeyError, AttributeError):
            self.trouble["authorize"] = "The record of the sign-in is damaged. Authorize again."

    def _take(self, record: dict[str, Any], now: float) -> None:
        callback = record.get("callback_url") or ""
        fields = dict(parse_qsl(urlsplit(callback).query) + parse_qsl(urlsplit(callback).fragment))
        answered_at = float(record["answered_at"]) if record["answered"] else None
        self.answer = hide_in_url(callback)
        self.stale = bool(callback) and answered_at is not None and now - answered_at > CODE_LIFETIME
        self.error = fields.get("error", "")
        self.implicit = record["response_type"] == "token"
        if record["answered"]:
            self.outcome = "denied" if self.error == "access_denied" else "failed" if self.error else "allowed"
        self._answered_at, self._spent, self.begun = answered_at, bool(record.get("spent")), True

    def _read_token(self, settings: Settings) -> None:
        try:
            self.token = TokenStore(settings.folder).load()
        except RedboothError as error:
            self._note("exchange", error)

    def _note(self, stage: str, error: RedboothError) -> None:
        if not isinstance(error, NotYet):  # what is simply not there yet is no trouble
            self.trouble[stage] = error.what

    @property
    def code(self) -> bool:
        """Whether a code came back that can still be sent."""
        return self.outcome == "allowed" and bool(self.answer) and not self.stale and not self.implicit

    @property
    def sent(self) -> bool:
        """Whether the code was sent to the token endpoint."""
        return not self.code and bool(self._spent or self.token or self.grants("authorization_code"))

    @property
    def refreshed(self) -> bool:
        """Whether the stored token came by a refresh: the transcript saw it, or it is too young for anything else."""
        if self.token is None:
            return False
        if self._answered_at is not None and self.token.obtained_at - self._answered_at > SURELY_REFRESHED:
            return True
        return any(round_trip.status == OK for round_trip in self.refreshes)

    @property
    def refreshes(self) -> tuple[RoundTrip, ...]:
        """The refreshes of this permission: those after the last code that was exchanged."""
        good = [i for i, e in enumerate(self.round_trips) if _grants(e, "authorization_code") and e.status == OK]
        return tuple(e for e in self.round_trips[good[-1] if good else 0 :] if _grants(e, "refresh_token"))

    def grants(self, kind: str) -> tuple[RoundTrip, ...]:
        """Return the token requests of a kind."""
        return tuple(e for e in self.round_trips if _grants(e, kind))

    def under(self, address: str) -> tuple[RoundTrip, ...]:
        """Return the round_trips at an address and below it."""
        return tuple(e for e in self.round_trips if e.address == address or e.address.startswith(f"{address}/"))


def _grants(round_trip: RoundTrip, kind: str) -> bool:
    return round_trip.address == TOKEN_URL and ("grant_type", kind) in round_trip.fields


def _is_of(round_trip: RoundTrip, client_id: str) -> bool:
    """Whether a round trip names this app, or none."""
    return all(value == client_id for name, value in [*round_trip.query, *round_trip.fields] if name == "client_id")
