"""What every widget of the kit shares: one safe text in its place where widgets cannot show."""

import html
import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from redbooth_nb.errors import RedboothError

DOUBLE_CLICK = 0.5  # seconds


class View(w.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A panel over an object that works without it. Subclasses say in `text()` what it shows, without secrets."""

    def text(self) -> str:
        """Return the same as plain text, for a page where widgets cannot show."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the plain text."""
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": self.text(), "application/vnd.jupyter.widget-view+json": view}


class Message(w.HTML):  # type: ignore[misc]
    """A line that says how things stand; screen readers announce it when it changes."""

    def __init__(self) -> None:
        super().__init__(layout={"max_width": "46rem"})

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`. kind: "info", "good" or "problem"; the word stands there too, never only the colour."""
        colour = {"good": "success", "problem": "error"}.get(kind, "info")
        label = {"good": "<strong>Done.</strong> ", "problem": "<strong>Problem.</strong> "}.get(kind, "")
        lines = "<br>".join(html.escape(line) for line in text.splitlines())
        self.value = (
            f'<div role="status" style="border-left:4px solid var(--jp-{colour}-color1);padding:2px 10px;'
            f'line-height:1.5;overflow-wrap:anywhere">{label}{lines}</div>'
        )


def paragraph(markup: str) -> w.HTML:
    """Return a line of our own HTML; values in it must be escaped."""
    return w.HTML(f'<div style="line-height:1.5;overflow-wrap:anywhere">{markup}</div>', layout={"max_width": "46rem"})


def link(url: str, text: str) -> str:
    """Return a link that opens in a new tab and tells the target nothing about this page."""
    return (
        f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer" '
        f'style="color:var(--jp-content-link-color);text-decoration:underline">{html.escape(text)}</a>'
    )


def button(text: str, action: Callable[[], bool | None], message: Message, *, primary: bool = False) -> w.Button:
    """Return a button that runs `action` once per click; a failure becomes a sentence, never a traceback.

    A double click starts it once: the second click waits in the kernel's queue until the action has ended, so one
    that is handled right after it does not count. When the action returns True the button stays off.
    """
    size = {"width": "max-content", "align_self": "flex-start"}
    made = w.Button(description=text, button_style="primary" if primary else "", layout=size)
    turn = threading.Lock()  # some kernels call back from several threads
    ended = -DOUBLE_CLICK

    def clicked(_: w.Button) -> None:
        nonlocal ended
        if not turn.acquire(blocking=False):
            return
        try:
            if made.disabled or time.monotonic() - ended < DOUBLE_CLICK:
                return
            made.disabled, finished = True, False
            try:
                finished = bool(action())
            except RedboothError as error:
                message.say(str(error), "problem")
            finally:
                made.disabled, ended = finished, time.monotonic()
        finally:
            turn.release()

    made.on_click(clicked)
    return made
