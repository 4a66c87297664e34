"""The flow map: the three parties, the hops between them in four stages, and how far the app has come.

That is told from what is on disk and from the transcript, and made of texts that never held a secret.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

from redbooth_nb.client.register import Settings
from redbooth_nb.traffic.transcript import RoundTrip
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.snapshot import Snapshot
from redbooth_nb.widgets.texts import TEXTS

STAGES: Final[dict[str, str]] = TEXTS["stages"]
ELSEWHERE: Final = "This notebook sent nothing for it: it happened in the browser or in an earlier notebook."
DONE, NEXT, NOT_YET = "done", "next", "not yet"  # how far a hop or a stage is
MARKS: Final = {DONE: "[x]", NEXT: "[>]", NOT_YET: "[ ]"}


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
    progress: str
    note: str
    round_trips: tuple[RoundTrip, ...] = field(repr=False)

    def drawn(self) -> dict[str, Any]:
        """Return it with the newest of its round trips; the transcript has them all."""
        *earlier, newest = self.round_trips or ("",)
        when = "" if self.progress == DONE else ", last time"
        return {**vars(self), "round_trips": None, "round_trip": str(newest), "earlier": len(earlier), "when": when}


class Journey:
    """The hops in their order, as of now: some done, then the next one, then those that are not done yet.

    Raises nothing: a stage that cannot be read says why.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.hops = tuple(_hops(Snapshot(settings)))

    def of(self, stage: str) -> tuple[Hop, ...]:
        """Return the hops of a stage."""
        return tuple(hop for hop in self.hops if hop.stage == stage)

    def progress(self, stage: str) -> str:
        """Return how far a stage is."""
        found = [hop.progress for hop in self.of(stage)]
        return NEXT if NEXT in found else found[0]

    @property
    def summary(self) -> str:
        """One sentence on how far the app has come."""
        done = sum(self.progress(stage) == DONE for stage in STAGES)
        for hop in self.hops:
            if hop.progress == NEXT:
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
    ahead, progress = _next(now), DONE
    for hop_id, about in TEXTS["hops"].items():
        if hop_id == ahead:
            progress = NEXT
        elif progress == NEXT:
            progress = NOT_YET
        trips = () if hop_id == "link" else tuple(now.seen[about["stage"]])  # Redbooth has no part in the link
        notes = [note.format(now=now) for when, note in about["notes"].items() if getattr(now, when)]
        elsewhere = progress == DONE and not trips and hop_id != "link"
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


class _Picture(anywidget.AnyWidget):
    """The drawing, in JavaScript. It is given only texts without secrets."""

    _esm = Path(__file__).with_name("flow_map.js")
    stages: "traitlets.List[dict[str, Any]]" = traitlets.List().tag(sync=True)  # with their hops, in order
    summary = traitlets.Unicode().tag(sync=True)  # one sentence on how far the app has come
    selected = traitlets.Unicode().tag(sync=True)  # the id of the hop that is open, empty when none is


class FlowMap(LiveView):
    """Shows how far the app has come; it follows by itself. `show()` opens a hop as a click does.

    settings: the app to show; by default the app that is registered at the current provider.
    """

    title = "Flow map"
    picture = "flow-map"

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings
        self._picture = _Picture()
        super().__init__([self._picture, self._message])

    def _show(self) -> None:
        self.journey = Journey(self.settings)
        self._picture.summary = self.journey.summary
        self._picture.stages = [
            {
                "name": stage,
                "about": about,
                "progress": self.journey.progress(stage),
                "hops": [hop.drawn() for hop in self.journey.of(stage)],
            }
            for stage, about in STAGES.items()
        ]

    def show(self, hop_id: str) -> None:
        """Open the hop of that id, such as "token"; "" closes it. Raises KeyError when there is no such hop."""
        if hop_id and hop_id not in TEXTS["hops"]:
            raise KeyError(hop_id)
        self._picture.selected = hop_id

    def text(self) -> str:
        """Return the stages as a picture made of text."""
        self.update()
        return self.journey.text()
