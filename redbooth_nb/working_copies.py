"""A learner's own copies of the notebooks, so that their work dirties no repository and no update overwrites it."""

import hashlib
import json
from pathlib import Path

from redbooth_nb.errors import RedboothError

REPOSITORY = Path(__file__).parents[1]
FIRST = "00-start-here.ipynb"
FOLDER = "my-notebooks"
NOTE = ".copied.json"


def refresh_working_copies(repository: Path) -> Path:
    """Copy the lessons, without their outputs, to `my-notebooks/`; return that folder.

    A copy the learner changed is left alone; one they did not change follows the original.
    Raises RedboothError when the lessons are not there or the folder cannot be written.
    """
    originals = sorted((repository / "notebooks").glob("*.ipynb"))
    if not originals:
        raise RedboothError(
            f"There are no lessons in {repository / 'notebooks'}.",
            why="They come with the repository, not with the installed package.",
            remedy="Run the command inside a clone of the repository.",
        )
    folder = repository / FOLDER
    problem = ""
    try:
        folder.mkdir(exist_ok=True)
        note = folder / NOTE
        copied = _read_note(note)
        for original in originals:
            copy, content = folder / original.name, _without_outputs(original)
            if not copy.exists() or _digest(copy.read_bytes()) == copied.get(original.name):
                copy.write_bytes(content)
                copied[original.name] = _digest(content)
        note.write_text(json.dumps(copied, indent=1), encoding="utf-8")
    except OSError as error:
        problem = error.strerror or type(error).__name__
    if problem:
        raise RedboothError(
            f"The working copies cannot be written to {folder} ({problem}).",
            remedy="Make that folder writable for you.",
        )
    return folder


def _without_outputs(notebook: Path) -> bytes:
    # by hand: importing nbformat takes longer than everything else that the command does before JupyterLab
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_note(note: Path) -> dict[str, str]:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # without it every copy counts as changed, which loses nothing
    return content if isinstance(content, dict) else {}
