"""What every widget of the kit shares: one safe text in its place where widgets cannot show."""

import html
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as w

from redbooth_nb.errors import RedboothError

DOUBLE_CLICK = 0.5  # seconds
WIDE = {"width": "44rem", "max_width": "calc(100% - 4px)"}  # a field as wide as fits, with its margin


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


class Markup(w.HTML):  # type: ignore[misc]
    """Our own HTML; values in it must be escaped."""

    def __init__(self, markup: str = "") -> None:
        super().__init__(layout={"max_width": "46rem"})
        self.show(markup)

    def show(self, markup: str) -> None:
        """Show other markup."""
        self.value = f'<div style="line-height:1.5;overflow-wrap:anywhere">{markup}</div>' if markup else ""


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


LEFT = "text-align:left;vertical-align:top;padding:4px 14px 4px 0;overflow-wrap:anywhere"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an HTML table; every cell is escaped. The first column, names, is not broken."""
    head = "".join(f'<th scope="col" style="{LEFT}">{html.escape(text)}</th>' for text in heads)
    body = ""
    for name, *values in rows:
        cells = "".join(f'<td style="{LEFT}">{html.escape(str(value))}</td>' for value in values)
        first = f'<th scope="row" style="{LEFT};white-space:nowrap;font-weight:normal">{code(name)}</th>'
        body += f"<tr>{first}{cells}</tr>"
    return f'<table style="border-spacing:0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def code(value: object) -> str:
    """Return a value as code."""
    return f'<code style="background:none;padding:0">{html.escape(str(value))}</code>'


def block(text: str) -> str:
    """Return a block of code; one click selects all of it, so that it can be copied."""
    return (
        '<pre tabindex="0" style="user-select:all;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.45;'
        'margin:4px 0;padding:8px 10px;background:var(--jp-layout-color2);color:var(--jp-ui-font-color1)">'
        f"{html.escape(text)}</pre>"
    )


def fold(summary: str, markup: str, *, opened: bool = False) -> str:
    """Return a part that opens on a click or with the keyboard."""
    mark = " open" if opened else ""
    return (
        f'<details{mark} style="margin:2px 0"><summary style="cursor:pointer;padding:2px 0">{summary}</summary>'
        f'<div style="padding:2px 0 6px 18px">{markup}</div></details>'
    )


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
