"""What shows how far the app has come: credentials, the sign-in under way, the token, the transcript.

It is read from disk and never asked for. What is kept of it shows no secret.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from redbooth_nb import Settings, TokenStore, transcript
from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import meaning_of
from redbooth_nb.client.response import CODE_LIFETIME
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.provider.addresses import APPLICATIONS_URL, AUTHORIZE_URL, TOKEN_URL
from redbooth_nb.traffic.redaction import hide_in_url
from redbooth_nb.traffic.round_trip import RoundTrip

OK: Final = 200
# A code is dead by then, so a token that came later was refreshed and not exchanged for it.
SURELY_REFRESHED: Final = CODE_LIFETIME + 60  # seconds after the answer
T = TypeVar("T")


class Snapshot:
    """What is known at one moment. Reading raises nothing: what cannot be read counts as missing.

    settings, token: what is stored, None where there is none. round_trips: the transcript, without other apps.
    now: the provider's clock, in Unix seconds. answer: where the browser was sent, redacted. answered_at: when.
    error: what its error means. The rest is what texts.toml asks for, such as code_ready: a code came that can be sent.
    seen: for each stage its round trips. problems: why it could not be read.
    """

    answer = error = ""
    answered_at: float | None = None
    unanswered = implicit = code_used = False

    def __init__(self, settings: Settings | None = None) -> None:
        self.problems: dict[str, str] = {}
        self.now, self.token = 0.0, None
        self.settings = app = self._read("register", lambda: settings or Settings.load())
        if app is not None:
            self.now = self._read("register", app.provider.now) or time.time()
            self._read("authorize", lambda: self._sign_in(app))
            self.token = self._read("exchange", TokenStore(app.folder).load)
        trips = self.round_trips = [trip for trip in transcript if _is_of(trip, app.client_id if app else "")]
        good = [n for n, trip in enumerate(trips) if _grants(trip, "authorization_code") and trip.status == OK]
        # those after the last code that was exchanged belong to this permission
        refreshes = [trip for trip in trips[max(good, default=0) :] if _grants(trip, "refresh_token")]
        self.seen = {
            "register": [trip for trip in trips if f"{trip.address}/".startswith(f"{APPLICATIONS_URL}/")],
            "authorize": [trip for trip in trips if f"{trip.address}/".startswith(f"{AUTHORIZE_URL}/")],
            "exchange": [trip for trip in trips if _grants(trip, "authorization_code")],
            "refresh": refreshes,
        }
        token, code = self.token, bool(self.answer) and not self.error and not self.implicit
        self.code_expired = code and self.now - (self.answered_at or 0) > CODE_LIFETIME
        self.code_ready = code and not self.code_expired
        self.code_lost = self.code_used and not token
        self.settled = bool(token) and not self.unanswered and not self.code_ready
        self.unsettled = bool(token) and not self.settled
        # the token came by a refresh if the transcript saw it, or if it is too young for anything else
        late = token and self.answered_at is not None and token.obtained_at - self.answered_at > SURELY_REFRESHED
        self.refreshed = bool(token) and (bool(late) or any(trip.status == OK for trip in refreshes))
        self.refresh_refused = bool(token and refreshes) and not self.refreshed
        self.refresh_token = (token and token.refresh_token) or "no refresh token"
        waiting = None if self.refreshed or self.refresh_refused else token
        self.refreshable = bool(waiting and waiting.refresh_token)
        self.unrefreshable = bool(waiting and not waiting.refresh_token)

    def _read(self, stage: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except NotYet:
            return None  # what is simply not there yet is no problem
        except RedboothError as error:
            self.problems[stage] = error.what
        except (TypeError, ValueError, KeyError, AttributeError):
            self.problems[stage] = f"What is kept of the stage {stage} is damaged. Authorize again."
        return None

    def _sign_in(self, app: Settings) -> None:
        record = PendingAuthorization(app).load()
        callback = record.get("callback_url") or ""
        fields = dict(parse_qsl(urlsplit(callback).query) + parse_qsl(urlsplit(callback).fragment))
        self.answered_at = float(record["answered_at"]) if record["answered"] else None
        self.answer, self.code_used = hide_in_url(callback), bool(record.get("code_sent"))
        self.error = meaning_of("authorize", fields["error"]).what if fields.get("error") else ""
        self.implicit = record["response_type"] == "token"
        self.unanswered = self.answered_at is None


def _grants(trip: RoundTrip, grant: str) -> bool:
    return trip.address == TOKEN_URL and ("grant_type", grant) in trip.fields


def _is_of(trip: RoundTrip, client_id: str) -> bool:
    """Whether a round trip names this app, or none."""
    return all(value == client_id for name, value in [*trip.query, *trip.fields] if name == "client_id")
