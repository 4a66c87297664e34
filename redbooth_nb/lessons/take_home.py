"""The app to take home: one file, made of the learner's own functions and, for the others, the kit's."""

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from itertools import count
from pathlib import Path
from typing import ClassVar

from redbooth_nb.client.private_file import locked, replace_file
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.learner import named, note, noted
from redbooth_nb.lessons.source import SOLUTION, functions, pieces, replace_function
from redbooth_nb.widgets.script import ScriptPanel

NAME = "my_redbooth_app.py"
MOST_WRITTEN = 100  # pieces of cells that are remembered, besides the functions
LONGEST_WAIT = 20  # seconds for an earlier run of the app


class TakeHomeApp:
    """The learner's `my_redbooth_app.py`. Where it is missing or damaged, the kit's version takes its place."""

    _panel: ClassVar[ScriptPanel | None] = None  # of the newest run in this kernel

    def __init__(self) -> None:
        # beside the notebook for a person, among the kit's files where nobody watches
        configuration = Configuration.read()
        self.folder = configuration.state_dir / "take-home" if configuration.unattended else Path.cwd()

    def __repr__(self) -> str:
        """Return which functions are the learner's."""
        mine = self.mine()
        kits = functions(SOLUTION).keys() - mine
        lines = [f"{'the kit' if name in kits else 'yours':8} {name}" for name in functions(self.text())]
        return "\n".join([f"{NAME}, function by function:", *lines])

    @property
    def file(self) -> Path:
        """Where it is."""
        return self.folder / NAME

    def text(self) -> str:
        """Return the source as it is now."""
        return self._whole() or SOLUTION

    def mine(self) -> list[str]:
        """Return the names of the functions that were tried out and found right, if the file doesn't hold the kit's."""
        there, kits = functions(self._whole()), functions(SOLUTION)
        kept = noted().get("kept", {})
        return [name for name in kept if name in there and (there[name] != kits[name] or there[name] == kept[name])]

    def show(self, function: str) -> None:
        """Print one function of the source. Raises RedboothError when there is none of that name."""
        print(named("function", function, functions(self.text())))

    def keep(self, name: str, source: str, needed: Sequence[str] = ()) -> None:
        """Write the app with this function in it. The old file is kept if edits of its own would be lost.

        Raises RedboothError when it cannot be written.
        """
        with _alone():
            before, noted_before = self.text(), noted()
            text = replace_function(before, name, source, needed)
            written = (*noted_before.get("written", []), *noted_before.get("kept", {}).values())
            known = {each for each in written if isinstance(each, str)}
            known |= {piece.text for piece in (*pieces(SOLUTION), *pieces(text))}
            self._replace(text, keep_old=not {piece.text for piece in pieces(before)} <= known)
        note(
            lambda noted: {
                "kept": noted.get("kept", {}) | {name: functions(text)[name]},
                "written": [*noted.get("written", []), *needed][-MOST_WRITTEN:],
            }
        )

    def write(self) -> Path:
        """Return the file, written if it is missing or damaged. Raises RedboothError when it cannot be written."""
        with _alone():
            self._replace(self.text())
        return self.file

    def run(self) -> ScriptPanel:
        """Run the app as a process of its own, delivered to the current provider; return its panel.

        An earlier run that waits for nobody is allowed to finish first. One that waits for a sign-in is stopped:
        running the cell again took its panel away. Raises RedboothError when the app cannot be written.
        """
        TakeHomeApp.let_run_finish()
        if (earlier := TakeHomeApp._panel) and earlier.running:
            earlier.cancel("replaced")
        self.write()
        TakeHomeApp._panel = ScriptPanel([sys.executable, "-m", "redbooth_nb", "run", NAME], self.folder)
        return TakeHomeApp._panel

    @classmethod
    def let_run_finish(cls) -> None:
        """Wait until this kernel's newest run of the app has ended, at most 20 seconds and never for a person."""
        if cls._panel is not None:
            cls._panel.wait(LONGEST_WAIT)

    def _whole(self) -> str:
        """Return what is in the file, "" when a function is missing in it or it isn't Python."""
        with suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            text = self.file.read_text(encoding="utf-8-sig") if self.file.is_file() else ""  # a pipe would never end
            return text if functions(text).keys() >= functions(SOLUTION).keys() else ""
        return ""

    def _replace(self, text: str, *, keep_old: bool = False) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file, whole = self.file.resolve(), self._whole()  # a link stays one
            if whole == text:
                return
            if file.parent == Path(__file__).parent:
                raise RedboothError("This is the folder of the kit's own files.", remedy="Work in another folder.")
            if file.exists() and (keep_old or not whole):
                names = (self.file.with_stem(f"{self.file.stem}_{number}") for number in count(1))
                kept = next(name for name in names if not os.path.lexists(name))
                replace_file(kept, file.read_bytes())
                why = "had different code" if whole else "isn't valid Python, or lacks one of the app's functions"
                print(f"Your {NAME} {why}. It was kept as {kept.name}.")
            replace_file(file, text.encode())
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to one another
            reason = getattr(error, "strerror", None) or "links that lead nowhere"
            raise RedboothError(f"The app cannot be written to {self.folder}: {reason}.") from None


def _alone() -> AbstractContextManager[None]:
    return locked(Configuration.read().state_dir / "take-home.lock")  # another notebook may keep its own function


def solution(function: str) -> None:
    """Print the kit's version of a function of the app. Raises RedboothError when there is none of that name."""
    print(named("function", function, functions(SOLUTION)))
