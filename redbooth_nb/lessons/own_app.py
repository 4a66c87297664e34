"""The app to take home: its source with gaps to fill, judged by what each line does, and its own process."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.widgets.script import ScriptPanel
from redbooth_nb.working_copies import REPOSITORY

NAME = "my_redbooth_app.py"
SOLUTION = REPOSITORY / "notebooks" / NAME
GAP = re.compile(r"^(?P<indent> *)(?P<line>\S.*?)  # gap: (?P<name>\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Gap:
    """A line to fill in. good: whether a line does what it must. hints: two hints."""

    good: Callable[[str], bool]
    hints: tuple[str, str]


GAPS = {
    "address": Gap(
        lambda line: "came_back" in line and "https://" in line,
        (
            "came_back[0] holds path and query; a whole address also needs scheme and host.",
            "oauthlib reads only https: begin with 'https://' and urlsplit(REDIRECT_URI).netloc.",
        ),
    ),
    "credentials": Gap(
        lambda line: "refresh_token(" in line and "TOKEN_URL" in line and "CREDENTIALS" in line,
        (
            "It is a method of oauth, and its first argument is the address to ask.",
            "requests-oauthlib sends no credentials by itself: hand over **CREDENTIALS.",
        ),
    ),
    "save": Gap(
        lambda line: re.search(r"\bsave\(\s*token\s*\)", line) is not None,
        ("What has to happen before anything else does?", "There is a function for it, a little further up."),
    ),
    "expired": Gap(
        lambda line: "expired" in line and "WWW-Authenticate" in line and line.rstrip().endswith(":"),
        (
            "A 401 can mean other things. Which header says why?",
            "It begins with: if 'expired' in answer.headers.get(...",
        ),
    ),
}


class OwnApp:
    """The source with its gaps; `fill()` them, then `write()` and `run()`."""

    def __init__(self) -> None:
        try:
            self._solution = SOLUTION.read_text(encoding="utf-8")
        except OSError:
            self._solution = ""
        if not self._solution:
            raise RedboothError(
                f"The app is not at {SOLUTION}.",
                why="It comes with the repository, not with the installed package.",
                remedy="Open the notebook inside a clone of the repository.",
            )
        self._panel: ScriptPanel | None = None
        self._filled: dict[str, str] = {}
        self._asked: dict[str, int] = dict.fromkeys(GAPS, 0)
        # beside the notebook for a person; out of the repository where nobody watches
        configuration = Configuration.read()
        self.folder = configuration.state_dir / "own-app" if configuration.unattended else Path.cwd()

    def __repr__(self) -> str:
        """Return the source as it stands, gaps as `...`."""
        return GAP.sub(
            lambda gap: f"{gap['indent']}{self._filled.get(gap['name'], '...')}  # {gap['name']}", self._solution
        )

    def show(self, function: str) -> None:
        """Print one function of the source."""
        found = re.search(rf"^def {function}\(.*?(?=^\S)", repr(self), re.MULTILINE | re.DOTALL)
        if found is None:
            raise RedboothError(f"The app has no function {function!r}.", remedy="Look at the whole of it: print(app)")
        print(found[0].rstrip())  # noqa: T201  (printing is what it is for)

    def fill(self, name: str, line: str) -> None:
        """Fill a gap with your line. One that does not do what it must gets a hint, another, then the answer."""
        if name not in GAPS:
            raise RedboothError(f"There is no gap {name!r}.", remedy=f"The gaps are: {', '.join(GAPS)}.")
        if GAPS[name].good(line):
            self._filled[name] = line.strip()
            print(f"Done     {name}")  # noqa: T201
            return
        asked = self._asked[name]
        self._asked[name] += 1
        hint = (
            f"Hint: {GAPS[name].hints[asked]}" if asked < len(GAPS[name].hints) else f"Answer: {self._answers()[name]}"
        )
        print(f"To do    {name}. {hint}")  # noqa: T201

    def write(self) -> Path:
        """Write the app. Gaps that are still open get the answers. Returns the file."""
        answers = self._answers()
        text = GAP.sub(lambda gap: gap["indent"] + self._filled.get(gap["name"], answers[gap["name"]]), self._solution)
        target = self.folder / NAME
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        still_open = ", ".join(name for name in GAPS if name not in self._filled)
        ending = f" Filled in for you: {still_open}." if still_open else ""
        print(f"{NAME}: {len(text.splitlines())} lines.{ending}")  # noqa: T201
        return target

    def run(self) -> ScriptPanel:
        """Run the written app as a process of its own, delivered to the current provider; returns its panel.

        Raises RedboothError when the app was not written, or still runs.
        """
        if self._panel is not None and self._panel.running:
            raise RedboothError("The app is still running.", remedy="Sign in with its link, or press Cancel.")
        if not (self.folder / NAME).exists():
            raise RedboothError("There is no app to run yet.", remedy="Write it first: app.write()")
        self._panel = ScriptPanel([sys.executable, "-m", "redbooth_nb", "run", NAME], self.folder)
        return self._panel

    def _answers(self) -> dict[str, str]:
        return {gap["name"]: gap["line"] for gap in GAP.finditer(self._solution)}
