"""What a panel says; screen readers announce it when it changes."""

from pathlib import Path

import anywidget
import traitlets

from redbooth_nb.widgets.appearance import shared_layout

HERE = Path(__file__).parent


class Message(anywidget.AnyWidget):
    """A live region. It is there before it says anything; otherwise its first words would not be announced."""

    _esm = HERE / "message.js"
    _css = HERE / "view.css"  # every panel has a message, so this reaches every panel
    said: "traitlets.Dict[str, str]" = traitlets.Dict({"text": "", "kind": "info"}).tag(sync=True)
    """What it says and of which kind that is, set together so that the page never mixes old and new."""

    def __init__(self) -> None:
        super().__init__(layout=shared_layout())

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`. kind: "info", "good" or "problem", shown in words too and never by color alone."""
        self.said = {"text": text, "kind": kind}
