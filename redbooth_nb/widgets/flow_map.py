"""The flow map: the three parties, the hops between them in four stages, and how far the app has come."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from redbooth_nb.client.register import Settings
from redbooth_nb.widgets.journey import STAGES, Hop, Journey, Progress
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.texts import TEXTS


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
                "hops": [_drawn(hop) for hop in self.journey.of(stage)],
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


def _drawn(hop: Hop) -> dict[str, Any]:
    """Return a hop with the newest of its round trips; the transcript has them all."""
    *earlier, newest = hop.round_trips or ("",)
    when = "" if hop.progress == Progress.DONE else ", last time"
    return {**vars(hop), "round_trips": None, "round_trip": str(newest), "earlier": len(earlier), "when": when}
