"""How far the app has come through the four stages, told from what is on disk and from the transcript.

Clicks count for nothing here. It shows no secret, because it is made of texts that never held one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from redbooth_nb.client.register import Settings
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.widgets.snapshot import Snapshot
from redbooth_nb.widgets.texts import TEXTS

STAGES: Final[dict[str, str]] = TEXTS["stages"]
ELSEWHERE: Final = "This notebook sent nothing for it: it happened in the browser or in an earlier notebook."


class Progress(StrEnum):
    """How far a hop or a stage is."""

    DONE = "done"
    NEXT = "next"
    NOT_YET = "not yet"


MARKS: Final = {Progress.DONE: "[x]", Progress.NEXT: "[>]", Progress.NOT_YET: "[ ]"}


@dataclass(frozen=True)
class Hop:
    """One message from one party to another.

    about: what it is for. note: what there is to say about it now, such as why it has to be repeated.
    round_trips: what the transcript holds of it; empty when it happened in the browser or in an earlier notebook.
    """

    id: str
    stage: str
    source: str
    target: str
    label: str
    about: str
    progress: Progress
    note: str
    round_trips: tuple[RoundTrip, ...] = field(repr=False)


class Journey:
    """The hops in their order, as of now: some done, then the next one, then those that are not done yet.

    Raises nothing: a stage that cannot be read says why.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.hops = tuple(_hops(Snapshot(settings)))

    def of(self, stage: str) -> tuple[Hop, ...]:
        """Return the hops of a stage."""
        return tuple(hop for hop in self.hops if hop.stage == stage)

    def progress(self, stage: str) -> Progress:
        """Return how far a stage is."""
        found = [hop.progress for hop in self.of(stage)]
        return Progress.NEXT if Progress.NEXT in found else found[0]

    @property
    def summary(self) -> str:
        """One sentence on how far the app has come."""
        done = sum(self.progress(stage) == Progress.DONE for stage in STAGES)
        for hop in self.hops:
            if hop.progress == Progress.NEXT:
                return f"{done} of 4 stages done. Next is {hop.stage}. {hop.source} to {hop.target}: {hop.label}."
        return "All four stages are done. Refresh comes again whenever the access token expires."

    def text(self) -> str:
        """Return the stages as a picture made of text. It holds nothing that differs from one run to another."""
        lines = [self.summary]
        for number, stage in enumerate(STAGES, 1):
            lines.append(f"{number} {stage}: {self.progress(stage)}")
            lines += [f"    {MARKS[hop.progress]} {hop.source} -> {hop.target}: {hop.label}" for hop in self.of(stage)]
        return "\n".join(lines)


def _hops(now: Snapshot) -> Iterable[Hop]:
    """Return the hops, each with its progress: all before the next one are done, and none after it."""
    ahead, progress = _next(now), Progress.DONE
    for hop_id, about in TEXTS["hops"].items():
        if hop_id == ahead:
            progress = Progress.NEXT
        elif progress == Progress.NEXT:
            progress = Progress.NOT_YET
        trips = () if hop_id == "link" else tuple(now.seen[about["stage"]])  # Redbooth has no part in the link
        notes = [note.format(now=now) for when, note in about["notes"].items() if getattr(now, when)]
        elsewhere = progress == Progress.DONE and not trips and hop_id != "link"
        yield Hop(
            id=hop_id,
            **{name: about[name] for name in ("stage", "source", "target", "label", "about")},
            progress=progress,
            note=now.problems.get(about["stage"]) or "\n".join(notes + [ELSEWHERE] * elsewhere),
            round_trips=trips,
        )


def _next(now: Snapshot) -> str:
    """Return the id of the hop that comes next, "" when all are done. Where a token is stored, its stages are done."""
    if now.settings is None:
        return "register"
    if now.token is not None:
        return "" if now.refreshed else "refresh"
    if now.unanswered:
        return "decision"
    return "code" if now.code_ready else "link"  # denied, too old, its code was sent: this sign-in leads no further
