"""The flow map: the three parties, the hops between them in four stages, and how far the app has come.

This is read from disk and from the transcript, never requested, and uses only texts that never held a secret.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import anywidget
import traitlets

from redbooth_nb import RedboothError, Settings, TokenStore, transcript
from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import explanation_of
from redbooth_nb.client.response import CODE_LIFETIME
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.addresses import APPLICATIONS_URL, AUTHORIZE_URL, TOKEN_URL
from redbooth_nb.traffic.redaction import hide_in_url
from redbooth_nb.traffic.transcript import RoundTrip
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.view import HERE, TEXTS

OK: Final = 200
# A code is dead by then, so a token that came later was refreshed and not exchanged for it.
SURELY_REFRESHED: Final = CODE_LIFETIME + 60  # seconds after the answer
SAID: Final = TEXTS["flow-map"]
DONE, NEXT, NOT_YET = "done", "next", "not yet"  # how far a hop or a stage is
MARKS: Final = {DONE: "[x]", NEXT: "[>]", NOT_YET: "[ ]"}
T = TypeVar("T")


class Snapshot:
    """What is known at one moment. Reading raises nothing: what cannot be read counts as missing.

    settings, token: what is stored, None where there is none. usable: the token, unless it is known to be dead.
    waits: whether the newest link has no answer. round_trips: the transcript, without other apps.
    now: the provider's clock, in Unix seconds. answer: where the browser was sent, redacted. answered_at: when.
    error: what its error means. The rest is what texts.toml asks for, such as code_ready: a code came that can be sent.
    seen: for each stage its round trips. problems: why it could not be read.
    """

    answer = error = ""
    answered_at: float | None = None
    waits = implicit = code_used = gone = dead = False

    def __init__(self, settings: Settings | None = None) -> None:
        self.problems: dict[str, str] = {}
        self.now, self.token = 0.0, None
        self.settings = app = self._read("register", lambda: settings or Settings.load())
        if app is not None:
            self.now = self._read("register", app.provider.now) or time.time()
            self._read("authorize", lambda: self._sign_in(app))
            self.token = self._read("exchange", TokenStore(app.folder).load)
            self.gone = self._read("register", lambda: app.wrong_field) == "client_id"
            token = self.token
            dead = self._read("exchange", lambda: bool(token and app.provider.revoked(token.access_token.reveal())))
            self.dead = bool(dead)
        self.registered = bool(app) and not self.gone
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
        self.refresh_token = (token and token.refresh_token) or "no refresh token"
        self.usable = usable = None if self.dead else token
        self.unanswered, self.answered_earlier = self.waits and not usable, self.waits and bool(usable)
        self.settled = bool(usable) and not self.waits and not self.code_ready
        self.unsettled = bool(token) and not self.settled
        # the token came by a refresh if the transcript saw it, or if it is too young for anything else
        late = usable and self.answered_at is not None and usable.obtained_at - self.answered_at > SURELY_REFRESHED
        self.refreshed = bool(usable and (late or any(trip.status == OK for trip in refreshes)))
        self.refresh_refused = bool(usable and refreshes) and not self.refreshed
        waiting = None if self.refreshed or self.refresh_refused else usable
        self.refreshable = bool(waiting and waiting.refresh_token)
        self.unrefreshable = bool(waiting and not waiting.refresh_token)

    def _read(self, stage: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except NotYet:
            return None  # what is simply not there yet is no problem
        except RedboothError as error:
            self.problems[stage] = f"{error.what} {error.remedy}".strip()
        except (TypeError, ValueError, KeyError, AttributeError):
            self.problems[stage] = f"The saved data for the {stage} stage is damaged. Authorize again."
        return None

    def _sign_in(self, app: Settings) -> None:
        record = PendingAuthorization(app).load()
        callback = record.get("callback_url") or ""
        fields = dict(parse_qsl(urlsplit(callback).query) + parse_qsl(urlsplit(callback).fragment))
        self.answered_at = float(record["answered_at"]) if record["answered"] else None
        self.answer, self.code_used = hide_in_url(callback), bool(record["answered"]) and not callback
        self.error = explanation_of("authorize", fields["error"]).what if fields.get("error") else ""
        self.implicit = record["response_type"] == "token"
        self.waits = self.answered_at is None

    def hops(self) -> Iterable[dict[str, Any]]:
        """Yield the messages from one party to another: all before the next one are done, and none after it.

        note: what there is to say about it now, such as why it has to be repeated. round_trip: the newest that the
        transcript has, "" where it happened in the browser or in an earlier notebook. earlier: how many are before it.
        """
        ahead, progress = self._next(), DONE
        for hop_id, hop in TEXTS["hops"].items():
            if hop_id == ahead:
                progress = NEXT
            elif progress == NEXT:
                progress = NOT_YET
            trips = [] if hop_id == "link" else self.seen[hop["stage"]]  # Redbooth has no part in the link
            notes = [note.format(now=self) for when, note in hop["notes"].items() if getattr(self, when)]
            elsewhere = progress == DONE and not trips and hop_id != "link"
            yield {
                "id": hop_id,
                **{name: hop[name] for name in ("stage", "source", "target", "label", "about")},
                "progress": progress,
                "note": self.problems.get(hop["stage"]) or "\n".join(notes + [SAID["elsewhere"]] * elsewhere),
                "round_trip": str(trips[-1]) if trips else "",
                "earlier": len(trips[:-1]),
                "when": "" if progress == DONE else ", last time",
            }

    def _next(self) -> str:
        """Return the id of the next hop, "" when all are done. Where a usable token is stored, its stages are done."""
        if not self.registered:
            return "register"
        if self.usable is not None:
            return "" if self.refreshed else "refresh"
        if self.unanswered:
            return "decision"
        # denied, too old, its code was sent: this sign-in leads no further
        return "code" if self.code_ready else "link"


def _grants(trip: RoundTrip, grant: str) -> bool:
    return trip.address == TOKEN_URL and ("grant_type", grant) in trip.fields


def _is_of(trip: RoundTrip, client_id: str) -> bool:
    """Whether a round trip names this app, or none."""
    return all(value == client_id for name, value in [*trip.query, *trip.fields] if name == "client_id")


class _Picture(anywidget.AnyWidget):
    """The drawing, in JavaScript. It is given only texts without secrets."""

    _esm = HERE / "flow_map.js"
    stages: "traitlets.List[dict[str, Any]]" = traitlets.List().tag(sync=True)  # with their hops, in order
    summary = traitlets.Unicode().tag(sync=True)  # one sentence on how far the app has come
    selected = traitlets.Unicode().tag(sync=True)  # the id of the hop that is open, empty when none is


class FlowMap(LiveView):
    """Shows how far the app has come; it updates itself. `show()` opens a hop as a click does."""

    def __init__(self) -> None:
        self._picture = _Picture()
        super().__init__([self._picture, self._message])

    def _show(self) -> None:
        every, stages = list((now := Snapshot()).hops()), []
        self._message.say("\n".join(dict.fromkeys(now.problems.values())), "problem")
        for name, about in TEXTS["stages"].items():
            own = [hop for hop in every if hop["stage"] == name]
            progress = next((NEXT for hop in own if hop["progress"] == NEXT), own[0]["progress"])
            stages.append({"name": name, "about": about, "progress": progress, "hops": own})
        ahead = [hop for hop in every if hop["progress"] == NEXT]
        done = sum(stage["progress"] == DONE for stage in stages)
        self._picture.summary = SAID["next"].format(done=done, **ahead[0]) if ahead else SAID["done"]
        self._picture.stages = stages

    def show(self, hop_id: str) -> None:
        """Open the hop of that id, such as "token"; "" closes it. Raises KeyError when there is no such hop."""
        if hop_id and hop_id not in TEXTS["hops"]:
            raise KeyError(hop_id)
        self._picture.selected = hop_id

    def text(self) -> str:
        """Return the stages as a picture made of text. It holds nothing that differs from one run to another."""
        self.update()
        lines = [self._picture.summary, *[SAID["unread"]] * bool(self._message.said["text"])]
        for number, stage in enumerate(self._picture.stages, 1):
            lines.append(f"{number} {stage['name']}: {stage['progress']}")
            line = "    {mark} {source} -> {target}: {label}"
            lines += [line.format(mark=MARKS[hop["progress"]], **hop) for hop in stage["hops"]]
        return "\n".join(lines)
