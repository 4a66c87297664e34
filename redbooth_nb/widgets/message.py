"""A line that says how things stand; screen readers announce it when it changes."""

from pathlib import Path
from typing import Final

import anywidget
import traitlets

from redbooth_nb.widgets.appearance import shared_layout

HERE: Final = Path(__file__).parent
LABELS: Final = {"info": "", "good": "Done. ", "problem": "Problem. "}  # as message.js writes them


class Message(anywidget.AnyWidget):
    """A live region. It is there before it says anything, or its first words would not be announced."""

    _esm = HERE / "message.js"
    _css = HERE / "view.css"  # every panel has a message, so this reaches every panel
    said: "traitlets.Dict[str, str]" = traitlets.Dict({"text": "", "kind": "info"}).tag(sync=True)
    """What it says, and of which kind that is; set together, so that the page shows both or neither."""

    def __init__(self) -> None:
        super().__init__(layout=shared_layout())

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`. kind: "info", "good" or "problem"; the word stands there too, never only the colour."""
        self.said = {"text": text, "kind": kind}

    def text(self) -> str:
        """Return what it shows."""
        return LABELS[self.said["kind"]] + self.said["text"] if self.said["text"] else ""
