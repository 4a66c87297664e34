"""A copy of the lessons that tests may run, change and spoil."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat

from redbooth_nb.lessons.source import SOLUTION, functions

ROOT = Path(__file__).parents[2]
GUARD = ROOT / "tests" / "guard"
NAMES = tuple(path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb")))
TRIED_OUT = re.compile(r"^(?:try_out\((\w+)\)|ticket\(\d+, (\w+)\))$", re.MULTILINE)
MINUTES = 5 * 60  # seconds; a notebook takes about two


class Lessons:
    """The notebooks in a folder of their own, with a home and a state folder that nobody used before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "kit"
        self.state = folder / "state"
        shutil.copytree(ROOT / "notebooks", self.folder / "notebooks")
        shutil.copy(ROOT / ".env.example", self.folder)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("REDBOOTH_", "JUPYTER"))}
        own = {"HOME": str(folder), "REDBOOTH_STATE_DIR": str(self.state), "PYTHONPATH": str(GUARD)}
        self.environment = inherited | own

    def solve(self) -> None:
        """Write the kit's version into every cell that tries a function out."""
        for name in NAMES:
            notebook = self.content(name)
            for cell in code_cells(notebook):
                cell.source = solved(cell.source)
            nbformat.write(notebook, self.path(name))

    def twin(self, name: str) -> str:
        """Copy a notebook, so that it can be run twice and both outputs be kept; return the copy's name."""
        twin = f"{name}-again"
        shutil.copy(self.path(name), self.path(twin))
        return twin

    def path(self, name: str) -> Path:
        """Where a notebook lies."""
        return self.folder / "notebooks" / f"{name}.ipynb"

    def python(
        self, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run Python with these arguments in the folder of the copy, or in `cwd`."""
        return subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, *arguments],
            cwd=cwd or self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=MINUTES,
        )

    def execute(self, *names: str, **environment: str) -> None:
        """Run notebooks as the README says, one after the other, and keep their outputs in the copy."""
        files = [f"notebooks/{name}.ipynb" for name in names]
        done = self.python(
            "-m", "jupyter", "execute", "--inplace", *files, **({"REDBOOTH_UNATTENDED": "1"} | environment)
        )
        assert done.returncode == 0, done.stderr[-4000:]

    def content(self, name: str) -> nbformat.NotebookNode:
        """Return a notebook as it is now."""
        return nbformat.read(self.path(name), as_version=4)

    def shown(self, name: str) -> str:
        """Return every text that stands below a notebook's cells."""
        return "\n".join(text_of(output) for cell in code_cells(self.content(name)) for output in cell.outputs)


def tried_out(source: str) -> str:
    """Return which function a cell tries out, "" when it tries none."""
    found = TRIED_OUT.search(source)
    return (found[1] or found[2]) if found else ""


def solved(source: str) -> str:
    """Return a cell with the kit's version of the function that it tries out."""
    name = tried_out(source)
    return f"{functions(SOLUTION)[name]}\n\n{source.splitlines()[-1]}" if name else source


def code_cells(notebook: nbformat.NotebookNode) -> list[Any]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(output: Any) -> str:  # noqa: ANN401  (a part of a notebook)
    """Return the text of one output."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return str(output.data.get("text/plain", ""))


def checks_are_done(lessons: Lessons, name: str) -> None:
    """Fail unless the check at the end of a notebook finds nothing left to do."""
    checks = [cell for cell in code_cells(lessons.content(name)) if cell.source.startswith("check(")]
    assert checks, name
    said = "".join(output.text for output in checks[-1].outputs)
    assert "Done " in said, name
    assert "To do" not in said, name
