"""Cells run out of order: which cell makes the name that is missing."""

import ast
import builtins
import json
import os
from pathlib import Path


def out_of_order(error: NameError) -> str:
    """Say which cell of this notebook to run first; "" when none of its cells makes the name (a slip of the pen)."""
    name = error.name or ""
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    cells = _code_cells(notebook if notebook.is_file() else Path.cwd() / notebook.name)
    if not name or hasattr(builtins, name):
        return ""
    for source in cells:
        if name in _made_by(source):
            first = source.strip().splitlines()[0]
            return (
                f"{name} is not there yet: it is made in the cell that begins with\n    {first}\nRun that cell first."
            )
    return ""


def _code_cells(notebook: Path) -> list[str]:
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _made_by(source: str) -> set[str]:
    """Return the names that a cell makes at its top level, or anywhere it stores one."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    made = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
    return made
