"""What every widget of the kit shares: its text and picture where widgets cannot show, and the parts it is made of."""

import html
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import anywidget
import ipywidgets as w
import traitlets

from redbooth_nb.errors import RedboothError
from redbooth_nb.widgets.appearance import shared_layout, shared_style
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.texts import TEXTS

PICTURES: Final = Path(__file__).parent / "pictures"  # made by tests/pictures.py
DOUBLE_CLICK = 0.5  # seconds


class Head(anywidget.AnyWidget):
    """The head of a panel: its title. live: whether it sends a message when somebody turns to the panel again."""

    _esm = Path(__file__).with_name("view.js")
    title = traitlets.Unicode().tag(sync=True)
    live = traitlets.Bool(default_value=False).tag(sync=True)


class View(w.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A panel over an object that works without it. Subclasses say in `text()` what it shows, without secrets.

    title: what is written above it. picture: the name of its still picture; what can be seen in it is in texts.toml.
    """

    title: ClassVar[str] = ""
    picture: ClassVar[str] = ""

    def __init__(self, children: Sequence[w.Widget] = ()) -> None:
        self._head = Head(title=self.title, layout=shared_layout())
        super().__init__(children, layout=shared_layout(), _dom_classes=("redbooth-view",))

    @traitlets.validate("children")
    def _under_the_head(self, proposal: dict[str, Any]) -> tuple[w.Widget, ...]:
        rest = [child for child in proposal["value"] if child is not self._head]
        return (self._head, *rest) if rest else ()

    @cached_property
    def _message(self) -> Message:
        """What the panel says. Every panel has one among its children: it also says when the kernel is gone."""
        return Message()

    def _button(self, text: str, action: Callable[[], object], *, primary: bool = False) -> w.Button:
        """Return a button of this panel; see `button`."""
        return button(text, action, self._message, primary=primary)

    def text(self) -> str:
        """Return the same as plain text, for a page where widgets cannot show."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the plain text."""
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        said = self.text()
        html_too = {"text/html": still(self.picture, said)} if self.picture else {}
        return {"text/plain": said, **html_too, "application/vnd.jupyter.widget-view+json": view}


def still(name: str, text: str) -> str:
    """Return HTML for a page where widgets cannot show: a picture of one, and what this one says.

    The picture is part of it: a repository's preview follows no address, and nothing is fetched.
    """
    data, alt = b64encode((PICTURES / f"{name}.png").read_bytes()).decode(), html.escape(TEXTS["pictures"][name])
    still_picture: str = TEXTS["markup"]["still"].format(data=data, alt=alt, text=html.escape(text))
    return still_picture


class Markup(w.HTML):  # type: ignore[misc]
    """Our own HTML, styled by view.css; values in it must be escaped."""

    def __init__(self, markup: str = "") -> None:
        super().__init__(markup, layout=shared_layout(), style=shared_style(w.HTML))

    def show(self, markup: str) -> None:
        """Show other markup."""
        self.value = markup


def field(kind: type[w.Widget], label: str, *, label_width: str = "12rem", **options: Any) -> w.Widget:  # noqa: ANN401
    """Return a field with its label."""
    return kind(
        description=label, layout=shared_layout(), style=shared_style(kind, description_width=label_width), **options
    )


def row(*children: w.Widget) -> w.HBox:
    """Return widgets side by side, below each other where there is no room."""
    return w.HBox(children, layout=shared_layout())


def button(text: str, action: Callable[[], object], message: Message, *, primary: bool = False) -> w.Button:
    """Return a button that runs `action` once per click; a failure becomes a sentence, never a traceback.

    A double click starts it once: the second click waits in the kernel's queue until the action has ended, so a
    click that is handled right after that is ignored. The button stays enabled meanwhile, or it would lose the
    keyboard's focus; when the action returns True, it is disabled from then on.
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
            try:
                if action() is True:
                    made.disabled = True
            except RedboothError as error:
                message.say(str(error), "problem")
            finally:
                ended = time.monotonic()
        finally:
            turn.release()

    made.on_click(clicked)
    return made
