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


class Progress(StrEnum):
    """How far a hop or a stage is."""

    DONE = "done"
    NEXT = "next"
    NOT_YET = "not yet"


MARKS: Final = {Progress.DONE: "[x]", Progress.NEXT: "[>]", Progress.NOT_YET: "[ ]"}


@dataclass(frozen=True)
class Hop:
    """One message from one party to another.

    happened: whether it was sent, as far as is known. note: what there is to say about it, such as why it is missing.
    round_trips: what the transcript holds of it; empty when it happened in the browser or in an earlier notebook.
    """

    id: str
    stage: str
    source: str
    target: str
    label: str
    happened: bool
    progress: Progress
    note: str
    round_trips: tuple[RoundTrip, ...] = field(repr=False)


class Journey:
    """The hops in their order, as of now. Raises nothing: a stage that cannot be read is not done, and says why."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.hops = tuple(_hops(Snapshot(settings)))

    def of(self, stage: str) -> tuple[Hop, ...]:
        """Return the hops of a stage."""
        return tuple(hop for hop in self.hops if hop.stage == stage)

    def progress(self, stage: str) -> Progress:
        """Return how far a stage is."""
        found = {hop.progress for hop in self.of(stage)}
        return Progress.NEXT if Progress.NEXT in found else found.pop() if len(found) == 1 else Progress.NOT_YET

    @property
    def summary(self) -> str:
        """One sentence on how far the app has come."""
        done = sum(self.progress(stage) == Progress.DONE for stage in STAGES)
        hop = next((hop for hop in self.hops if hop.progress == Progress.NEXT), None)
        if done == len(STAGES):
            return "All four stages are done. Refresh comes again whenever the access token expires."
        if hop is None:
            return f"{done} of 4 stages done."
        return f"{done} of 4 stages done. Next is {hop.stage}. {hop.source} to {hop.target}: {hop.label}."

    def text(self) -> str:
        """Return the stages as a picture made of text. It holds nothing that differs from one run to another."""
        lines = [self.summary]
        for number, stage in enumerate(STAGES, 1):
            lines.append(f"{number} {stage}: {self.progress(stage)}")
            lines += [f"    {MARKS[hop.progress]} {hop.source} -> {hop.target}: {hop.label}" for hop in self.of(stage)]
        return "\n".join(lines)


def _hops(now: Snapshot) -> Iterable[Hop]:
    """Return the hops, each with its progress."""
    happened = {hop_id: now.holds(about["happened"]) for hop_id, about in TEXTS["hops"].items()}
    ahead = _next(now, happened)
    for hop_id, about in TEXTS["hops"].items():
        labels = [label for when, label in about.get("labels", {}).items() if now.holds(when)]
        notes = [note.format(now=now) for when, note in about["notes"].items() if now.holds(when)]
        done = Progress.DONE if happened[hop_id] else Progress.NOT_YET
        yield Hop(
            id=hop_id,
            **{name: about[name] for name in ("stage", "source", "target")},
            label=[about["label"], *labels][-1],
            happened=happened[hop_id],
            progress=Progress.NEXT if hop_id == ahead else done,
            note=now.problems.get(about["stage"]) or "\n".join(notes),
            round_trips=() if hop_id == "link" else tuple(now.seen[about["stage"]]),  # Redbooth has no part in the link
        )


def _next(now: Snapshot, happened: dict[str, bool]) -> str:
    """Return the id of the hop that comes next: the first that has not happened, with two exceptions."""
    if now.token is None and now.answered and not now.code_ready:
        return "link"  # this answer leads no further: denied, too old, or its code was sent
    if now.token is not None and not now.code_ready and not now.unanswered:
        happened = {hop_id: happened[hop_id] for hop_id in ("refresh", "new-token")}  # the token is what counts
    return next((hop_id for hop_id, is_so in happened.items() if not is_so), "")
