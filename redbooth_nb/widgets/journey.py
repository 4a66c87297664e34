"""Where the app stands on its way through the four stages, told from facts: what is on disk, and the transcript.

Clicks count for nothing here. It shows no secret, because it is made of texts that never held one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from redbooth_nb.client.errors import meaning_of
from redbooth_nb.client.register import Settings
from redbooth_nb.provider.addresses import APPLICATIONS_URL, AUTHORIZE_URL
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.widgets.snapshot import Snapshot

STAGES: Final = {
    "register": "once: Redbooth learns about your app",
    "authorize": "once for each user: the user gives permission",
    "exchange": "right after it: the code becomes a token",
    "refresh": "every two hours: a new pair of tokens",
}
USER, APP, REDBOOTH = "User", "Your app", "Redbooth"
DONE, NEXT, NOT_YET = "done", "next", "not yet"
MARKS: Final = {DONE: "[x]", NEXT: "[>]", NOT_YET: "[ ]"}


@dataclass(frozen=True)
class Hop:
    """One message from one party to another.

    happened: whether the facts say so. standing: "done", "next" or "not yet". note: what there is to say about it,
    such as why it is missing. round_trips: what the transcript holds of it, redacted; empty when it happened in the
    browser or in an earlier notebook.
    """

    id: str
    stage: str
    source: str
    target: str
    label: str
    happened: bool = False
    standing: str = NOT_YET
    note: str = ""
    round_trips: tuple[RoundTrip, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Journey:
    """The hops in their order, and what comes next. Make one with `Journey.read()`; it does not change afterwards.

    files: where the facts came from; when one of them changes it is time to read again.
    """

    hops: tuple[Hop, ...]
    files: tuple[Path, ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, settings: Settings | None = None) -> "Journey":
        """Gather the facts as they stand now. Raises nothing: a stage that cannot be read is not done, and says why."""
        facts = Snapshot(settings)
        return cls(tuple(_hops(facts)), facts.files)

    def hop(self, hop_id: str) -> Hop:
        """Return a hop. Raises KeyError when there is none of that name."""
        return {hop.id: hop for hop in self.hops}[hop_id]

    @property
    def next(self) -> Hop | None:
        """The hop that comes next, None when all is done."""
        return next((hop for hop in self.hops if hop.standing == NEXT), None)

    def of(self, stage: str) -> tuple[Hop, ...]:
        """Return the hops of a stage."""
        return tuple(hop for hop in self.hops if hop.stage == stage)

    def standing(self, stage: str) -> str:
        """Say where a stage stands: "done", "next" or "not yet"."""
        states = {hop.standing for hop in self.of(stage)}
        return NEXT if NEXT in states else DONE if states == {DONE} else NOT_YET

    @property
    def summary(self) -> str:
        """One sentence on how far the app has come."""
        done = sum(self.standing(stage) == DONE for stage in STAGES)
        hop = self.next
        if done == len(STAGES):
            return "All four stages are done. Refresh comes again whenever the access token expires."
        if hop is None:
            return f"{done} of 4 stages done."
        return f"{done} of 4 stages done. Next is {hop.stage}. {hop.source} to {hop.target}: {hop.label}."

    def text(self) -> str:
        """Return the stages as a picture made of text. It holds nothing that differs from one run to another."""
        lines = [self.summary]
        for number, stage in enumerate(STAGES, 1):
            lines.append(f"{number} {stage}: {self.standing(stage)}")
            lines += [f"    {MARKS[hop.standing]} {hop.source} -> {hop.target}: {hop.label}" for hop in self.of(stage)]
        return "\n".join(lines)

    __str__ = text


def _hops(facts: Snapshot) -> Iterable[Hop]:
    """Return the hops, each with its state."""
    hops = [*_register(facts), *_authorize(facts), *_exchange(facts), *_refresh(facts)]
    ahead = _next(facts, hops)
    for hop in hops:
        yield replace(hop, standing=NEXT if hop.id == ahead else DONE if hop.happened else NOT_YET)


def _next(facts: Snapshot, hops: list[Hop]) -> str:
    """Return the id of the hop that comes next: the first that has not happened, with two exceptions."""
    if facts.token is None and facts.outcome and not facts.code:
        return "link"  # this answer leads no further: denied, too old, or its code is spent
    signing_in = facts.code or (facts.begun and not facts.outcome)
    only_refresh = facts.token is not None and not signing_in  # whatever became of the sign-in that led to the token
    return next((hop.id for hop in hops if not hop.happened and (hop.stage == "refresh" or not only_refresh)), "")


def _register(facts: Snapshot) -> list[Hop]:
    app, seen = facts.settings, facts.under(APPLICATIONS_URL)
    note = facts.trouble.get("register", "Notebook 01-register does it with you.")
    asked = f"Registered with the redirect URI {app.redirect_uri}." if app else note
    given = f"Client id {app.client_id}, {app.client_secret}." if app else note
    return [
        Hop("register", "register", APP, REDBOOTH, "name and redirect URI", bool(app), note=asked, round_trips=seen),
        Hop("credentials", "register", REDBOOTH, APP, "client id and secret", bool(app), note=given, round_trips=seen),
    ]


def _authorize(facts: Snapshot) -> list[Hop]:
    seen, decided = facts.under(AUTHORIZE_URL), facts.outcome in {"allowed", "denied"}
    trouble = facts.trouble.get("authorize", "")
    link = "A link with a state of its own was made." if facts.begun else "AuthorizationRequest.new() makes the link."
    decision = "The link is there; the user has not answered yet." if facts.begun and not facts.outcome else ""
    if facts.outcome == "failed":
        decision = "Redbooth sent the browser back before the user could decide."
    answer = [f"The browser was sent to {facts.answer}"] if facts.answer else []
    if facts.error:
        answer += [meaning_of("authorize", facts.error).what, "Authorize again when the cause is gone."]
    elif facts.stale and not facts.implicit:
        answer += ["Its code is too old by now: a code lives ten minutes. Authorize again."]
    pressed = "Deny" if facts.outcome == "denied" else "Allow"
    brought = "an error" if facts.error else "a token" if facts.implicit else "a code"
    return [
        Hop("link", "authorize", APP, USER, "a link to Redbooth", facts.begun, note=trouble or link),
        Hop("decision", "authorize", USER, REDBOOTH, f"signs in, clicks {pressed}", decided,
            note=trouble or decision, round_trips=seen),
        Hop("answer", "authorize", REDBOOTH, APP, f"the browser, with {brought}", bool(facts.outcome),
            note=trouble or "\n".join(answer), round_trips=seen),
    ]  # fmt: skip


def _exchange(facts: Snapshot) -> list[Hop]:
    seen, token = facts.grants("authorization_code"), facts.token
    asked = "The code is there, and has not been sent yet." if facts.code else ""
    if facts.implicit and facts.outcome == "allowed":
        asked = "With response_type=token the answer brings the token itself; there is no code to exchange."
    given = f"Stored: {token.access_token}, {token.refresh_token or 'no refresh token'}." if token else ""
    if token is None and facts.sent:
        given = "A code was sent, but no token is stored: it was refused, or revoked since. Authorize again."
    given = facts.trouble.get("exchange", given)
    return [
        Hop("code", "exchange", APP, REDBOOTH, "code and client secret", facts.sent, note=asked, round_trips=seen),
        Hop("token", "exchange", REDBOOTH, APP, "access and refresh token", bool(token), note=given, round_trips=seen),
    ]


def _refresh(facts: Snapshot) -> list[Hop]:
    seen, token, done = facts.refreshes, facts.token, facts.refreshed
    asked = "The refresh token is stored; it is sent when the access token expires." if token else ""
    given = "A refresh token was sent and refused: see the answer." if seen and token else ""
    if done and token:
        asked = "The old pair ended when the new one was made."
        given = f"Stored: {token.access_token}, {token.refresh_token or 'no refresh token'}."
    sent = done or bool(seen and token)
    return [
        Hop("refresh", "refresh", APP, REDBOOTH, "refresh token and secret", sent, note=asked, round_trips=seen),
        Hop("new-token", "refresh", REDBOOTH, APP, "a new pair of tokens", done, note=given, round_trips=seen),
    ]
