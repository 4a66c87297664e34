"""A countdown that is right while the kernel is busy and after a laptop has slept: the browser does the counting."""

import time
from typing import Any, Final

import anywidget
import ipywidgets as w
import traitlets

from redbooth_nb.widgets.view import HERE, TEXTS

LAST: Final = 60  # seconds; as Token.needs_refresh, and as countdown.js
Words = dict[str, list[str]]
TOKEN: Final[Words] = TEXTS["countdown"]["token"]


class Countdown(anywidget.AnyWidget):
    """Shows how much longer something is valid: fresh, expires soon, expired, or not known. The counting is JavaScript.

    remaining, lifetime: seconds, as `token.remaining(now)` and `token.expires_in`; None when the service did not say.
    words: what to call the phases. time: remaining and lifetime, and when that was (`as_of`), in Unix seconds.
    """

    _esm = HERE / "countdown.js"
    # what remains is as of the moment it is sent, also to a page that is reloaded long after it was set
    time: "traitlets.Dict[str, Any]" = traitlets.Dict().tag(sync=True, to_json=lambda _, self: self.now())
    words: "traitlets.Dict[str, list[str]]" = traitlets.Dict().tag(sync=True)

    def __init__(self, remaining: float | None, lifetime: float | None, words: Words = TOKEN) -> None:
        # a layout of its own: whoever shows it may hide it
        super().__init__(time=_starting_now(remaining, lifetime), words=words, layout=w.Layout())

    def set(self, remaining: float | None, lifetime: float | None) -> None:
        """Count on from here, for example after a refresh, or when the sandbox's clock was moved."""
        self.time = _starting_now(remaining, lifetime)

    def now(self) -> dict[str, Any]:
        now, remaining = time.time(), self.time["remaining"]
        left = None if remaining is None else remaining - (now - self.time["as_of"])
        return {**self.time, "remaining": left, "as_of": now}

    def text(self) -> str:
        """Say how much time is left, "soon" being the last minute or the last tenth of a short life."""
        left, lifetime = self.now()["remaining"], self.time["lifetime"]
        if left is None or lifetime is None:
            return self.words["unknown"][0]
        if left <= 0:
            return self.words["expired"][0]
        return f"{self.words['soon' if left <= min(LAST, lifetime / 10) else 'fresh'][0]} {duration(left)}"


def _starting_now(remaining: float | None, lifetime: float | None) -> dict[str, Any]:
    return {"remaining": remaining, "lifetime": lifetime, "as_of": time.time()}


def duration(seconds: float) -> str:
    """Return a time in words, to the minute above a minute and to the second below: "1 h 30 min"."""
    if round(seconds) < LAST:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number)
