"""A learner's own copies of the notebooks, so that their work dirties no repository and no update overwrites it."""

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

from redbooth_nb.client.errors import failure
from redbooth_nb.errors import RedboothError

REPOSITORY = Path(__file__).parents[1]
FIRST = "00-start-here.ipynb"
FOLDER = "my-notebooks"
NOTE, LOCK = ".copied.json", ".copied.lock"
LOCK_SECONDS = 60  # copying takes less than one
BY_RUNNING = {"outputs", "execution_count", "id", "trusted", "execution", "collapsed", "scrolled", "jupyter"}
BY_JUPYTER = {"kernelspec", "language_info", "orig_nbformat", "widgets"}
UNFIT = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # raised by what is no notebook


def has_lessons() -> bool:
    """Whether the kit runs from a clone of its repository; an installed wheel holds no notebooks."""
    return (REPOSITORY / "notebooks").is_dir() and (REPOSITORY / "pyproject.toml").is_file()


def refresh_working_copies(repository: Path) -> Path:
    """Copy the lessons, without their outputs, to `my-notebooks/`; return that folder.

    A link to another folder, which only the learner can have made, is followed.
    A copy in which the learner changed nothing but outputs follows the original. Any other is left alone: the
    new version is put beside it, and a sentence on stderr says so. Raises RedboothError when there are no lessons,
    or when the folder cannot be written to.
    """
    originals = sorted((repository / "notebooks").glob("*.ipynb"))
    if not originals:
        raise failure(RedboothError, "command", "no_lessons", folder=repository / "notebooks")
    from filelock import FileLock, Timeout  # slow to import, and only needed here

    folder = repository / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        if (folder / LOCK).is_symlink():
            (folder / LOCK).unlink()  # older versions of filelock empty the file it leads to
        with FileLock(folder / LOCK, timeout=LOCK_SECONDS):
            _update_all(originals, folder)
    except Timeout:
        raise failure(RedboothError, "command", "copying", folder=folder) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise failure(RedboothError, "command", "no_copies", folder=folder, reason=reason) from None
    return folder


def _update_all(originals: list[Path], folder: Path) -> None:
    copied: dict[str, str] = {}  # where the note is lost, every copy that differs counts as changed: that loses nothing
    with suppress(OSError, *UNFIT):
        if (folder / NOTE).is_file():  # a pipe would never end
            copied |= json.loads((folder / NOTE).read_text(encoding="utf-8"))
    for original in originals:
        before = copied.get(original.name)
        try:
            content = _without_outputs(original)
        except (OSError, *UNFIT):
            sentence = f"The lesson {original} cannot be read (damaged, or a merge conflict); it was not copied."
        else:
            sentence = _update(folder / original.name, content, copied)
        if sentence:
            print(sentence, file=sys.stderr)
        if copied.get(original.name) != before:  # after each file: an interruption then costs nothing
            _replace(folder / NOTE, json.dumps(copied, indent=1).encode())


def _update(copy: Path, content: bytes, copied: dict[str, str]) -> str:
    """Bring one copy up to date; return what the learner should know, "" for nothing.

    `copied` holds, for each name, which version was copied or offered last.
    """
    newest, known = _digest(content), copied.get(copy.name)
    written, obstacle = _inspect(copy, content)
    copied[copy.name] = newest
    if written == newest:
        return ""
    if not obstacle and written in ("", known):
        _replace(copy, content)
        return ""
    if known == newest:  # it is beside the copy, or the learner put it away
        return f"{copy.name} {obstacle}; it was left alone. Delete it to get a fresh copy." if obstacle else ""
    names = (copy.with_name(f"{copy.stem}.new{number or ''}.ipynb") for number in count())
    beside = next(name for name in names if not os.path.lexists(name))
    _replace(beside, content)
    return f"{copy.name} {obstacle or 'has your changes'}; it was left alone, and the new version is in {beside.name}."


def _inspect(copy: Path, content: bytes) -> tuple[str, str]:
    """Return the digest of what is written in a copy, "" for none, and what forbids replacing it, "" for nothing."""
    try:
        mode = copy.lstat().st_mode
        if not stat.S_ISREG(mode):
            return "", "is a link" if stat.S_ISLNK(mode) else "is not a file"
        found = copy.read_bytes()
        if len(found) < len(content) and content.startswith(found):
            return "", ""  # cut off by a full disk
        return _digest(found), "" if mode & stat.S_IWUSR else "is read-only"
    except FileNotFoundError:
        return "", ""
    except OSError as error:
        return "", f"cannot be read ({error.strerror})"
    except UNFIT:
        return "", "is not a notebook any more (damaged, or a merge conflict)"


def _without_outputs(notebook: Path) -> bytes:
    # by hand: importing nbformat takes longer than everything else that the command does before JupyterLab
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _digest(notebook: bytes) -> str:
    """Return the digest of what a person wrote: everything but what running and saving adds."""
    content = json.loads(notebook)
    written = [_without(BY_JUPYTER, content.get("metadata", {}))]
    for cell in content["cells"]:
        own = {"source": "".join(cell["source"]), "metadata": _without(BY_RUNNING, cell.get("metadata", {}))}
        written.append(_without(BY_RUNNING, {**cell, **own}))
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()


def _without(names: set[str], fields: dict[str, object]) -> dict[str, object]:
    """Return fields without these names, and without empty ones, which Jupyter adds and drops."""
    return {name: value for name, value in fields.items() if value and name not in names}


def _replace(path: Path, content: bytes) -> None:
    """Put the content in place in one step, never through a link: whatever happens, no file is left half written."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # of a start that was killed; only one at a time gets here
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
