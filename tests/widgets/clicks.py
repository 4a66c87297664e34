"""What a person does with a widget, without a browser."""

import json
import threading
from collections.abc import Callable, Iterator

import ipywidgets as w

from redbooth_nb.widgets.countdown import Countdown
from redbooth_nb.widgets.view import Message


def parts(view: w.Widget) -> Iterator[w.Widget]:
    """Yield a widget and all that is in it."""
    yield view
    for child in getattr(view, "children", ()):
        yield from parts(child)


def button(view: w.Widget, text: str) -> w.Button:
    """Return the button of that text."""
    (found,) = (part for part in parts(view) if isinstance(part, w.Button) and part.description == text)
    return found


def click(view: w.Widget, text: str) -> None:
    """Click a button once."""
    button(view, text).click()


def field(view: w.Widget, text: str) -> w.Widget:
    """Return the input with that label."""
    (found,) = (part for part in parts(view) if getattr(part, "description", "") == text and hasattr(part, "value"))
    return found


def labels(view: w.Widget) -> list[str]:
    """Return the labels of the inputs that are shown."""
    return [str(part.description) for part in parts(view) if hasattr(part, "description") and hasattr(part, "value")]


def said(message: Message) -> str:
    """Return what a message shows, with the word that message.js puts before it."""
    text, kind = message.said["text"], message.said["kind"]
    return {"good": "Done. ", "problem": "Problem. "}.get(kind, "") + text if text else ""


def shown(view: w.Widget) -> str:
    """Return everything a widget shows."""
    words: dict[type[w.Widget], Callable[[w.Widget], str]] = {
        Message: said,
        w.HTML: lambda part: part.value,
        Countdown: lambda part: part.text(),
    }
    return "\n".join(
        say(part)
        for part in parts(view)
        for kind, say in words.items()
        if isinstance(part, kind) and part.layout.display != "none"
    )


def shows(view: w.Widget, words: str) -> threading.Event:
    """Return an event that is set as soon as a widget shows these words."""
    event = threading.Event()

    def compare(_: object) -> None:
        if words in shown(view):
            event.set()

    for part in parts(view):
        part.observe(compare)
    compare(None)
    return event


def saved() -> str:
    """Return what JupyterLab would save with a notebook: the state of every widget of this process."""
    return json.dumps(w.Widget.get_manager_state())
