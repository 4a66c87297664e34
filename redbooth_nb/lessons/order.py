"""Cells run out of order: which cell defines the name that is missing."""

import builtins
import json
import os
import symtable
from contextlib import suppress
from pathlib import Path


def out_of_order(error: NameError) -> str:
    """Say which cell of this notebook to run first; "" when no cell defines the name (a typo)."""
    name = error.name or ""
    if not name or hasattr(builtins, name):
        return ""
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    for source in _code_cells(notebook if notebook.is_file() else Path.cwd() / notebook.name):
        if name in _defined_by(source):
            first = source.strip().splitlines()[0]
            return (
                f"{name} is not defined yet. It is defined in the cell that begins with\n    {first}\n"
                "Run that cell first."
            )
    return ""


def _code_cells(notebook: Path) -> list[str]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return []


def _defined_by(source: str) -> set[str]:
    """Return the names that are there once a cell has run."""
    try:
        symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    except SyntaxError:
        return set()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
