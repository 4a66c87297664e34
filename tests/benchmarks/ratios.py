"""What the kit costs, as ratios: they say more than seconds, which differ from machine to machine.

    uv run python tests/benchmarks/ratios.py [--runs 9] [--notebook-runs 3]

import     the client's names against the libraries that a learner's own app would import anyway
stages     the notebooks 00 to 04 under nbval, against as many notebooks with as many cells that only say `1 + 1`
notebooks  the same for all notebooks; 06 also starts the app to take home three times, each a process of its own

Runs take turns, so that what else the machine does meets both sides; the medians are compared.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
OURS = "from redbooth_nb import Settings, AuthorizationRequest, AuthorizationResponse, exchange, refresh"
OURS += ", RedboothSession, TokenStore, transcript, connect"
LIBRARIES = "import requests_oauthlib, dotenv"
TARGETS = {"import": 1.15, "stages": 1.3, "notebooks": 1.3}
STAGES = 5  # how many notebooks lead from nothing to a refreshed token
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def seconds(command: Sequence[str], folder: Path) -> float:
    """Run a command and return how long it took. Raises CalledProcessError when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REDBOOTH_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles the libraries anew each time
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - begin


def compare(
    name: str, ours: Sequence[str], theirs: Sequence[str], runs: int, folders: tuple[Path, Path] = (ROOT, ROOT)
) -> None:
    """Run both by turns and print the medians and their ratio. The first turn only warms up."""
    turns = [(seconds(ours, folders[0]), seconds(theirs, folders[1])) for _ in range(runs + 1)][1:]
    kit, base = (statistics.median(side) for side in zip(*turns, strict=True))
    print(f"{name:<10} {kit:.3f} s / {base:.3f} s = {kit / base:.2f}  (target: at most {TARGETS[name]})")  # noqa: T201


def trivial_notebooks(folder: Path) -> None:
    """Write a notebook for each of the kit's, with as many code cells that do nothing worth mentioning."""
    (folder / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        number = sum(cell.cell_type == "code" for cell in nbformat.read(path, as_version=4).cells)
        cells = []
        for count in range(1, number + 1):
            result = new_output("execute_result", {"text/plain": "2"}, execution_count=count)
            cells.append(new_code_cell("1 + 1", execution_count=count, outputs=[result]))
        nbformat.write(new_notebook(cells=cells, metadata=METADATA), folder / "notebooks" / path.name)
    shutil.copy(ROOT / "tests" / "sanitize.cfg", folder)


def main() -> None:
    """Measure them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="of each import (default: 9)")
    parser.add_argument("--notebook-runs", type=int, default=3, help="of each validation; 0 to skip (default: 3)")
    chosen = parser.parse_args()
    python = sys.executable
    compare("import", [python, "-c", OURS], [python, "-c", LIBRARIES], chosen.runs)
    if chosen.notebook_runs:
        with tempfile.TemporaryDirectory() as folder:
            trivial_notebooks(Path(folder))
            validate = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            options = [
                "--nbval",
                "--nbval-current-env",
                "--nbval-sanitize-with=sanitize.cfg",
                "--import-mode=importlib",
            ]
            every = [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
            for name, some in (("stages", every[:STAGES]), ("notebooks", every)):
                ours, theirs = [*validate, *some], [*validate, *options, *some]
                compare(name, ours, theirs, chosen.notebook_runs, (ROOT, Path(folder)))


if __name__ == "__main__":
    main()
