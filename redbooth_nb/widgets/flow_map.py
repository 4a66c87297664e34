"""The flow map: the three parties, the hops between them in four stages, and how far the app has come."""

import threading
import weakref
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from redbooth_nb.client.register import Settings
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets.journey import STAGES, Hop, Journey
from redbooth_nb.widgets.view import View

SHOWN = 3  # round trips of one hop, the newest; the transcript has them all
LOOKS = 0.25  # seconds between two looks at the files' times; what changed them may be another notebook
HERE = Path(__file__).parent


class _Picture(anywidget.AnyWidget):
    """The drawing, in JavaScript. It is given only texts without secrets."""

    _esm = HERE / "flow_map.js"
    _css = HERE / "flow_map.css"
    stages: "traitlets.List[dict[str, Any]]" = traitlets.List().tag(sync=True)
    """The four stages with their hops, in order."""
    summary = traitlets.Unicode().tag(sync=True)
    """One sentence on how far the app has come."""
    selected = traitlets.Unicode().tag(sync=True)
    """The id of the hop that is open, empty when none is."""


class FlowMap(View):
    """Shows where the app stands, from facts. `update()` reads them again, `show()` opens a hop as a click does.

    It also looks by itself: after every exchange, and when what is on disk has changed, whoever changed it.
    settings: whose way to show; by default that of the app which is registered at the current provider.
    """

    picture = (
        "flow-map",
        "three columns for user, app and Redbooth, and between them the hops of the four stages, done up to authorize.",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings
        self.journey = Journey(())
        self._times: tuple[int, ...] = ()
        self._looking = threading.Lock()
        self._picture = _Picture()
        self.update()
        super().__init__([self._picture])
        transcript.watch(self._noted)
        _lookout.add(self)

    def update(self) -> None:
        """Read the facts and show them."""
        with self._looking:  # or an older look could be shown after a newer one
            files = None
            while files != self.journey.files:  # the first look finds out which files count
                files = self.journey.files
                self._times = _times(files)  # before reading: what changes meanwhile is seen next time
                self.journey = Journey.read(self.settings)
            self._picture.summary = self.journey.summary
            self._picture.stages = [
                {
                    "name": stage,
                    "about": about,
                    "state": self.journey.standing(stage),
                    "hops": [_shown(hop) for hop in self.journey.of(stage)],
                }
                for stage, about in STAGES.items()
            ]

    def update_if_changed(self) -> None:
        """Look, if a file that the facts come from has changed."""
        if _times(self.journey.files) != self._times:
            self.update()

    def _noted(self) -> None:
        if self.comm is not None:  # a closed widget has none
            self.update()

    def show(self, hop_id: str) -> None:
        """Open the hop of that id, such as "token"; "" closes it. Raises KeyError when there is no such hop."""
        if hop_id:
            self.journey.hop(hop_id)
        self._picture.selected = hop_id

    def text(self) -> str:
        """Return the stages as a picture made of text."""
        return self.journey.text()


def _shown(hop: Hop) -> dict[str, Any]:
    return {
        "id": hop.id,
        "source": hop.source,
        "target": hop.target,
        "label": hop.label,
        "state": hop.standing,
        "note": hop.note,
        "round_trips": [_halves(round_trip) for round_trip in hop.round_trips[-SHOWN:]],
        "earlier": max(len(hop.round_trips) - SHOWN, 0),
        "silence": "This notebook sent nothing for it: it happened in the browser, or in an earlier notebook."
        if hop.happened
        else "Nothing was sent yet.",
    }


def _halves(round_trip: RoundTrip) -> dict[str, str]:
    request, _, response = str(round_trip).partition("\n--> ")
    return {"request": request, "response": response}


def _times(files: tuple[Path, ...]) -> tuple[int, ...]:
    return tuple(_time(file) for file in files)


def _time(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


class _Lookout:
    """One thread for all maps of this notebook; it ends with the last of them."""

    def __init__(self) -> None:
        self._maps: weakref.WeakSet[FlowMap] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, flow_map: FlowMap) -> None:
        with self._lock:
            self._maps.add(flow_map)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="flow map", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        pause = threading.Event()
        while self._look():
            pause.wait(LOOKS)

    def _look(self) -> bool:
        with self._lock:
            maps = [flow_map for flow_map in self._maps if flow_map.comm is not None]
            if not maps:
                self._thread = None
        for flow_map in maps:
            flow_map.update_if_changed()
        return bool(maps)


_lookout = _Lookout()
