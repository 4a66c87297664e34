"""The flow map: the three parties, the hops between them in four stages, and how far the app has come.

That is told from what is on disk and from the transcript, and made of texts that never held a secret.
"""

from collections.abc import Iterable
from typing import Any, Final

import anywidget
import traitlets

from redbooth_nb.client.register import Settings
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.snapshot import Snapshot
from redbooth_nb.widgets.view import HERE, TEXTS

SAID: Final = TEXTS["flow-map"]
DONE, NEXT, NOT_YET = "done", "next", "not yet"  # how far a hop or a stage is
MARKS: Final = {DONE: "[x]", NEXT: "[>]", NOT_YET: "[ ]"}


class _Picture(anywidget.AnyWidget):
    """The drawing, in JavaScript. It is given only texts without secrets."""

    _esm = HERE / "flow_map.js"
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
        every, stages = list(hops(Snapshot(self.settings))), []
        for name, about in TEXTS["stages"].items():
            own = [hop for hop in every if hop["stage"] == name]
            progress = next((NEXT for hop in own if hop["progress"] == NEXT), own[0]["progress"])
            stages.append({"name": name, "about": about, "progress": progress, "hops": own})
        done, summary = sum(stage["progress"] == DONE for stage in stages), SAID["done"]
        for hop in every:
            if hop["progress"] == NEXT:
                summary = SAID["next"].format(done=done, **hop)
        self._picture.summary, self._picture.stages = summary, stages

    def show(self, hop_id: str) -> None:
        """Open the hop of that id, such as "token"; "" closes it. Raises KeyError when there is no such hop."""
        if hop_id and hop_id not in TEXTS["hops"]:
            raise KeyError(hop_id)
        self._picture.selected = hop_id

    def text(self) -> str:
        """Return the stages as a picture made of text. It holds nothing that differs from one run to another."""
        self.update()
        lines = [self._picture.summary]
        for number, stage in enumerate(self._picture.stages, 1):
            lines.append(f"{number} {stage['name']}: {stage['progress']}")
            line = "    {mark} {source} -> {target}: {label}"
            lines += [line.format(mark=MARKS[hop["progress"]], **hop) for hop in stage["hops"]]
        return "\n".join(lines)


def hops(now: Snapshot) -> Iterable[dict[str, Any]]:
    """Yield the messages from one party to another: all before the next one are done, and none after it.

    note: what there is to say about it now, such as why it has to be repeated. round_trip: the newest that the
    transcript has, "" where it happened in the browser or in an earlier notebook. earlier: how many are before it.
    """
    ahead, progress = _next(now), DONE
    for hop_id, hop in TEXTS["hops"].items():
        if hop_id == ahead:
            progress = NEXT
        elif progress == NEXT:
            progress = NOT_YET
        trips = [] if hop_id == "link" else now.seen[hop["stage"]]  # Redbooth has no part in the link
        notes = [note.format(now=now) for when, note in hop["notes"].items() if getattr(now, when)]
        elsewhere = progress == DONE and not trips and hop_id != "link"
        yield {
            "id": hop_id,
            **{name: hop[name] for name in ("stage", "source", "target", "label", "about")},
            "progress": progress,
            "note": now.problems.get(hop["stage"]) or "\n".join(notes + [SAID["elsewhere"]] * elsewhere),
            "round_trip": str(trips[-1]) if trips else "",
            "earlier": len(trips[:-1]),
            "when": "" if progress == DONE else ", last time",
        }


def _next(now: Snapshot) -> str:
    """Return the id of the hop that comes next, "" when all are done. Where a token is stored, its stages are done."""
    if now.settings is None:
        return "register"
    if now.token is not None:
        return "" if now.refreshed else "refresh"
    if now.unanswered:
        return "decision"
    return "code" if now.code_ready else "link"  # denied, too old, its code was sent: this sign-in leads no further
