"""The app to take home: its source with gaps to fill, and a process of its own to try it in."""

import re
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.names import named
from redbooth_nb.widgets.script import ScriptPanel

NAME = "my_redbooth_app.py"
SOLUTION = Path(__file__).with_name(NAME)  # only ever read: the learner's own is beside the notebook
GAPS = tomllib.loads(SOLUTION.with_suffix(".gaps.toml").read_text(encoding="utf-8"))
GAP = re.compile(r"^(?P<indent> *)(?P<line>\S.*?)  # gap: (?P<name>\w+)$", re.MULTILINE)


class TakeHomeApp:
    """The source with its gaps; `fill()` them, then `write()` the app and `run()` it."""

    def __init__(self) -> None:
        self._solution = SOLUTION.read_text(encoding="utf-8")
        self._answers = {gap["name"]: gap["line"] for gap in GAP.finditer(self._solution)}
        self._filled: dict[str, str] = {}
        self._asked = dict.fromkeys(GAPS, 0)
        self._panel: ScriptPanel | None = None
        # beside the notebook for a person, among the kit's files where nobody watches
        configuration = Configuration.read()
        self.folder = configuration.state_dir / "take-home" if configuration.unattended else Path.cwd()

    def __repr__(self) -> str:
        """Return the source as it is now, open gaps as `...`."""
        return self._source(dict.fromkeys(GAPS, "...") | self._filled, "  # {}")

    def show(self, function: str) -> None:
        """Print one function of the source. Raises RedboothError when there is none of that name."""
        found = re.search(rf"^def {re.escape(function)}\(.*?(?=^\S)", repr(self), re.MULTILINE | re.DOTALL)
        if found is None:
            raise RedboothError(f"The app has no function {function!r}.", remedy="Read all of it with print(app).")
        print(found[0].rstrip())

    def fill(self, name: str, line: str) -> None:
        """Fill a gap with your line; a wrong one gets a hint, another, then the answer. Raises RedboothError."""
        named("gap", name, GAPS)
        if works(name, line):
            self._filled[name] = line.strip()
            print(f"Done     {name}")
            return
        answer = f"Answer: app.fill({name!r}, {self._answers[name]!r})"
        print(f"To do    {name}.", [*(f"Hint: {hint}" for hint in GAPS[name]["hints"]), answer][self._asked[name]])
        self._asked[name] = min(self._asked[name] + 1, len(GAPS[name]["hints"]))

    def write(self) -> Path:
        """Write the app, with the answers in open gaps, and return its file. An edited one is kept beside it.

        Raises RedboothError when it cannot be written.
        """
        file, text = self.folder / NAME, self._source(self._answers | self._filled)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if file.exists() and file.read_bytes() != text.encode():
                kept = next(name for n in range(1, 10_000) if not (name := file.with_stem(f"{file.stem}_{n}")).exists())
                file.rename(kept)
                print(f"Your {NAME} was different. It is kept as {kept.name}.")
            file.write_bytes(text.encode())
        except OSError as error:
            raise RedboothError(f"The app cannot be written to {self.folder}: {error.strerror}.") from None
        open_gaps = ", ".join(name for name in GAPS if name not in self._filled)
        print(f"{NAME}: {len(text.splitlines())} lines." + (f" Filled in for you: {open_gaps}." if open_gaps else ""))
        return file

    def run(self) -> ScriptPanel:
        """Run the written app as a process of its own, delivered to the current provider; return its panel.

        Raises RedboothError when the app was not written, or is still running.
        """
        if self._panel is not None and self._panel.running:
            raise RedboothError("The app is still running.", remedy="Sign in with its link, or click Cancel.")
        if not (self.folder / NAME).exists():
            raise RedboothError("There is no app to run yet.", remedy="Write it first: app.write()")
        self._panel = ScriptPanel([sys.executable, "-m", "redbooth_nb", "run", NAME], self.folder)
        return self._panel

    def _source(self, lines: dict[str, str], comment: str = "") -> str:
        return GAP.sub(lambda gap: gap["indent"] + lines[gap["name"]] + comment.format(gap["name"]), self._solution)


def works(name: str, line: str) -> bool:
    """Return whether a line does what this gap needs. It is tried out; how it is written makes no difference."""
    with suppress(Exception):
        exec(GAPS[name]["try_out"].replace("{line}", line.strip()), {})
        return True
    return False
