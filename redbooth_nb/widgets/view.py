"""What every widget of the kit shares: the parts it is made of, what it says, and its text where none can be shown.

Layout and styles are shared: separate ones would cost more messages to the page. Widths and places are in view.css.
A widget that hides itself needs a layout of its own.
"""

import html
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import anywidget
import ipywidgets as w
import traitlets

from redbooth_nb.errors import RedboothError, wordings

HERE: Final = Path(__file__).parent
TEXTS: Final = wordings(HERE / "texts.toml")  # what widgets say, where it is the same every time
DOUBLE_CLICK = 0.5  # seconds
_shared: dict[str, w.Widget] = {}


def shared(kind: type[w.Widget], **values: str) -> w.Widget:
    """Return the one layout, or the one style with these values."""
    key = f"{kind.__name__} {sorted(values.items())}"
    if key not in _shared or _shared[key].comm is None:  # not made yet, or closed with all widgets
        _shared[key] = kind(**values)
    return _shared[key]


def look(kind: type[w.Widget], **style: str) -> dict[str, w.Widget]:
    """Return the layout and the style for widgets of this kind."""
    return {"layout": shared(w.Layout), "style": shared(kind.class_traits()["style"].klass, **style)}


class Head(anywidget.AnyWidget):
    """The head of a panel: its title. live: whether it sends a message when somebody turns to the panel again."""

    _esm = HERE / "view.js"
    title = traitlets.Unicode().tag(sync=True)
    live = traitlets.Bool(default_value=False).tag(sync=True)


class Message(anywidget.AnyWidget):
    """What a panel says: a live region, which screen readers announce when it changes.

    It is there before it says anything; otherwise its first words would not be announced.
    """

    _esm = HERE / "message.js"
    _css = HERE / "view.css"  # every panel has a message, so this reaches every panel
    said: "traitlets.Dict[str, str]" = traitlets.Dict({"text": "", "kind": "info"}).tag(sync=True)
    """What it says and which kind it is, set together so that the page never mixes old and new."""

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`. kind: "info", "good" or "problem", shown in words too and never by color alone."""
        self.said = {"text": text, "kind": kind}


class View(w.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A panel over an object that works without it. Subclasses say in `text()` what it shows, without secrets.

    Its title and its still picture are in texts.toml, under the name of the class.
    """

    def __init__(self, children: Sequence[w.Widget] = ()) -> None:
        self._panel: dict[str, str] = TEXTS["panels"].get(type(self).__name__, {})
        self._head = Head(title=self._panel.get("title", ""), layout=shared(w.Layout))
        super().__init__(children, layout=shared(w.Layout), _dom_classes=("redbooth-view",))

    @traitlets.validate("children")
    def _under_the_head(self, proposal: dict[str, Any]) -> tuple[w.Widget, ...]:
        rest = [child for child in proposal["value"] if child is not self._head]
        return (self._head, *rest) if rest else ()

    @cached_property
    def _message(self) -> Message:
        """What the panel says. Every panel has one among its children: it also says when the kernel is gone."""
        return Message(layout=shared(w.Layout))

    def _button(
        self, text: str, action: Callable[[], object], *, primary: bool = False, message: Message | None = None
    ) -> w.Button:
        """Return a button that runs `action` once per click; a failure becomes a sentence, never a traceback.

        A double click starts it once: the second click waits in the kernel's queue until the action has ended, so a
        click that is handled right after that is ignored. The button stays enabled meanwhile, or it would lose the
        keyboard's focus. message: where to say what failed, by default the panel's own.
        """
        made = w.Button(description=text, button_style="primary" * primary, **look(w.Button))
        turn = threading.Lock()  # some kernels call back from several threads
        ended = -DOUBLE_CLICK

        def clicked(_: w.Button) -> None:
            nonlocal ended
            if turn.locked():
                return
            with turn:
                if made.disabled or time.monotonic() - ended < DOUBLE_CLICK:
                    return
                try:
                    action()
                except RedboothError as error:
                    (message or self._message).say(str(error), "problem")
                finally:
                    ended = time.monotonic()

        made.on_click(clicked)
        return made

    def text(self) -> str:
        """Return the same as plain text, for a page that can't display widgets."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        said = self.text()
        html_too = {"text/html": still(self._panel, said)} if "picture" in self._panel else {}
        return {"text/plain": said, **html_too, "application/vnd.jupyter.widget-view+json": view}


def still(panel: dict[str, str], text: str) -> str:
    """Return HTML for a page that can't display widgets: a picture of one, and what this one says.

    The picture is part of it: the preview of a repository loads nothing from elsewhere.
    """
    data = b64encode((HERE / "pictures" / f"{panel['picture']}.png").read_bytes()).decode()  # made by tests/pictures.py
    alt, text = html.escape(panel["seen"]), html.escape(text)
    return str(TEXTS["markup"]["still"].format(data=data, alt=alt, text=text))


class Asking(w.HBox):  # type: ignore[misc]
    """A button that asks before it acts; `withdraw()` takes the question back.

    message, make: the message and the `_button` of the panel that it is in.
    """

    def __init__(
        self,
        message: Message,
        make: Callable[[str, Callable[[], object]], w.Button],
        text: str,
        action: Callable[[], object],
        *question: str,
    ) -> None:
        self._message, (self._question, yes, no) = message, question
        self.button, self._no = make(text, self._ask), make(no, self.withdraw)
        self._action, self._answers = action, (make(yes, self._act), self._no)
        super().__init__((self.button,), layout=shared(w.Layout))

    def _ask(self) -> None:
        self._asked, self._before = time.monotonic(), self._message.said
        self.children = [*self._answers]
        self._message.say(self._question)
        self._no.focus()

    def _act(self) -> None:
        if time.monotonic() - self._asked >= DOUBLE_CLICK:  # else it is the second click on what asks
            self.withdraw()
            self._action()

    @property
    def asks(self) -> bool:
        return self.button not in self.children

    def withdraw(self) -> None:
        if self.asks:
            self.children = [self.button]
            self._message.said = self._before
            self.button.focus()


class Markup(w.HTML):  # type: ignore[misc]
    """Our own HTML, styled by view.css; values in it must be escaped."""

    def __init__(self, markup: str = "") -> None:
        super().__init__(markup, **look(w.HTML))


def field(kind: type[w.Widget], label: str, *, label_width: str = "12rem", **options: Any) -> w.Widget:
    return kind(description=label, **look(kind, description_width=label_width), **options)


def row(*children: w.Widget) -> w.HBox:
    """Return widgets side by side, one below the other where space is tight."""
    return w.HBox(children, layout=shared(w.Layout))
