"""A countdown that is right while the kernel is busy and after a laptop slept: the browser does the counting."""

import time
from pathlib import Path
from typing import Any, Final

import anywidget
import ipywidgets as w
import traitlets

from redbooth_nb.widgets.view import View

LAST: Final = 60  # seconds; as Token.needs_refresh, and as countdown.js
HERE = Path(__file__).parent
Words = dict[str, tuple[str, str]]
# for each state: what stands there, before the time that is left, and what is announced when it begins
TOKEN: Final[Words] = {
    "label": ("Lifetime of the access token", ""),
    "fresh": ("fresh, expires in", "The access token is fresh."),
    "soon": ("expires soon, in", "The access token expires soon."),
    "expired": ("expired", "The access token has expired."),
    "unknown": (
        "the service did not say how long it lives",
        "The service did not say how long the access token lives.",
    ),
}


def _moment(remaining: float | None, lifetime: float | None) -> dict[str, float | None]:
    return {"remaining": remaining, "lifetime": lifetime, "as_of": time.time()}


def _as_of_now(_: object, countdown: "_Clock") -> dict[str, float | None]:
    """Say what remains at the moment it is sent: also to a page that was reloaded long after it was set."""
    return countdown.now()


class _Clock(anywidget.AnyWidget):
    """The counting, in JavaScript."""

    _esm = HERE / "countdown.js"
    _css = HERE / "countdown.css"
    time: "traitlets.Dict[str, float | None]" = traitlets.Dict().tag(sync=True, to_json=_as_of_now)
    """Remaining seconds and lifetime, None when the service did not say; and when that was, in Unix seconds."""
    words: "traitlets.Dict[str, tuple[str, str]]" = traitlets.Dict().tag(sync=True)
    """What to call the states."""

    def now(self) -> dict[str, float | None]:
        """Return the same as of now."""
        now = time.time()
        remaining = self.time.get("remaining")
        if remaining is not None:
            remaining -= now - (self.time["as_of"] or now)
        return {**self.time, "remaining": remaining, "as_of": now}


class Countdown(View):
    """Shows how long something still lives: fresh, expires soon (the last minute or tenth), expired, or not known.

    remaining, lifetime: seconds, as `token.remaining(now)` and `token.expires_in`; None when the service did not say.
    words: what to call the states; by default those of a token.
    """

    def __init__(self, remaining: float | None, lifetime: float | None, words: Words = TOKEN) -> None:
        self._clock = _Clock(time=_moment(remaining, lifetime), words=words)
        super().__init__([self._clock], layout=w.Layout())  # of its own: whoever shows it may hide it

    def set(self, remaining: float | None, lifetime: float | None) -> None:
        """Count on from here, for example after a refresh, or when the sandbox's clock was moved."""
        self._clock.time = _moment(remaining, lifetime)

    @property
    def state(self) -> str:
        """Where it stands: "fresh", "soon", "expired" or "unknown"."""
        now = self._clock.now()
        return state(now["remaining"], now["lifetime"])

    def text(self) -> str:
        """Say in words how long is left."""
        now = self._clock.now()
        return remaining_text(now["remaining"], now["lifetime"], self._clock.words)


def state(remaining: float | None, lifetime: float | None) -> str:
    """Return "fresh", "soon", "expired" or "unknown"."""
    if remaining is None or lifetime is None:
        return "unknown"
    if remaining <= 0:
        return "expired"
    return "soon" if remaining <= min(LAST, lifetime / 10) else "fresh"


def remaining_text(remaining: float | None, lifetime: float | None, words: Words = TOKEN) -> str:
    """Say how long is left, to the minute above one and to the second below: "fresh, expires in 2 h"."""
    now = state(remaining, lifetime)
    if remaining is None or now in {"unknown", "expired"}:
        return words[now][0]
    hours, minutes = divmod(round(remaining / 60), 60)
    parts: dict[str, Any] = {"h": hours, "min": minutes, "s": 0 if hours or minutes else f"{remaining:.0f}"}
    return " ".join([words[now][0], *(f"{number} {unit}" for unit, number in parts.items() if number)])
