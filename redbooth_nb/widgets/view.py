"""What every widget of the kit shares: a still picture and a safe text in its place where widgets cannot show."""

import html
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import ipywidgets as w

from redbooth_nb.errors import RedboothError
from redbooth_nb.widgets.appearance import shared_layout, shared_style
from redbooth_nb.widgets.message import Message

PICTURES: Final = Path(__file__).parent / "pictures"  # made by tests/pictures.py
DOUBLE_CLICK = 0.5  # seconds


class View(w.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A panel over an object that works without it. Subclasses say in `text()` what it shows, without secrets.

    picture: the name of its still picture, and what can be seen on it.
    """

    picture: ClassVar[tuple[str, str]] = ("", "")

    def __init__(self, children: Sequence[w.Widget] = (), layout: w.Layout | None = None) -> None:
        super().__init__(children, layout=layout or shared_layout(), _dom_classes=("redbooth-view",))

    def text(self) -> str:
        """Return the same as plain text, for a page where widgets cannot show."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the plain text."""
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        said = self.text()
        html_too = {"text/html": still(*self.picture, said)} if self.picture[0] else {}
        return {"text/plain": said, **html_too, "application/vnd.jupyter.widget-view+json": view}


def still(name: str, alt: str, text: str) -> str:
    """Return HTML for a page where widgets cannot show: a picture of one, and what this one says.

    The picture is inside the text: a repository's preview follows no address, and nothing is fetched.
    """
    data = b64encode((PICTURES / f"{name}.png").read_bytes()).decode()
    return (
        f'<img alt="{html.escape(f"A picture of the widget: {alt}")}" style="max-width:100%" '
        f'src="data:image/png;base64,{data}"><p>This is only a picture: run the cell to use the widget. It said:</p>'
        f"<pre>{html.escape(text)}</pre>"
    )


class Markup(w.HTML):  # type: ignore[misc]
    """Our own HTML; values in it must be escaped."""

    def __init__(self, markup: str = "") -> None:
        super().__init__(_framed(markup), layout=shared_layout(), style=shared_style(w.HTML))

    def show(self, markup: str) -> None:
        """Show other markup."""
        self.value = _framed(markup)


def _framed(markup: str) -> str:
    return f'<div style="line-height:1.5;overflow-wrap:anywhere">{markup}</div>' if markup else ""


def field(kind: type[w.Widget], label: str, *, label_width: str = "12rem", **options: Any) -> w.Widget:  # noqa: ANN401
    """Return a field with its label."""
    return kind(
        description=label, layout=shared_layout(), style=shared_style(kind, description_width=label_width), **options
    )


def row(*children: w.Widget) -> w.HBox:
    """Return widgets side by side, below each other where there is no room."""
    return w.HBox(children, layout=shared_layout())


LEFT = "text-align:left;vertical-align:top;padding:4px 14px 4px 0;overflow-wrap:anywhere;min-width:4.5rem"


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


# Select it, so that it can be copied by hand where the browser does not let a page write to the clipboard.
COPY = (
    "const said = (word) => { this.textContent = word }; getSelection().selectAllChildren(this.previousElementSibling);"
    "Promise.resolve(navigator.clipboard?.writeText(getSelection().toString()) ?? Promise.reject())"
    ".then(() => said('Copied'), () => said('Selected'))"
)


def block(text: str) -> str:
    """Return a block of code with a button that copies it."""
    return (
        '<div style="position:relative"><pre tabindex="0" style="white-space:pre-wrap;overflow-wrap:anywhere;'
        "line-height:1.45;margin:4px 0;padding:8px 74px 8px 10px;background:var(--jp-layout-color2);"
        f'color:var(--jp-ui-font-color1)">{html.escape(text)}</pre>'
        f'<button type="button" aria-live="polite" onclick="{html.escape(COPY)}" style="position:absolute;top:8px;'
        "right:8px;cursor:pointer;font:inherit;padding:0 8px;color:var(--jp-ui-font-color1);"
        'background:var(--jp-layout-color1);border:1px solid var(--jp-border-color0)">Copy</button></div>'
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
    that is handled right after it does not count. The button stays on meanwhile, or it would lose the keyboard's
    focus; when the action returns True, it is off from then on.
    """
    kind = "primary" if primary else ""
    made = w.Button(description=text, button_style=kind, layout=shared_layout(), style=shared_style(w.Button))
    turn = threading.Lock()  # some kernels call back from several threads
    ended = -DOUBLE_CLICK

    def clicked(_: w.Button) -> None:
        nonlocal ended
        if not turn.acquire(blocking=False):
            return
        try:
            if made.disabled or time.monotonic() - ended < DOUBLE_CLICK:
                return
            finished = False
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
