"""`redbooth-nb lab`: JupyterLab on a learner's own copies of the notebooks.

That keeps their work out of git, and no update overwrites it.
"""

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

from redbooth_nb.client.private_file import locked, replace_file
from redbooth_nb.errors import RedboothError

REPOSITORY = Path(__file__).parents[1]
LAB_CONFIG = Path(__file__).parent / "jupyter"
FOLDER = "my-notebooks"
NOTE, LOCK = ".copied.json", ".copying.lock"
UNFIT_COPY = "unfit"
BY_JUPYTER = {
    *("outputs", "execution_count", "id", "trusted", "execution", "collapsed", "scrolled", "jupyter"),
    *("kernelspec", "language_info", "orig_nbformat", "nbformat", "nbformat_minor", "widgets"),
}
UNFIT = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # raised by what isn't a notebook


def has_lessons() -> bool:
    """Whether the kit runs from a clone of its repository; an installed wheel holds no notebooks."""
    return (REPOSITORY / "notebooks").is_dir() and (REPOSITORY / "pyproject.toml").is_file()


def lab(options: list[str]) -> int:
    """Open JupyterLab at the first lesson; `options` go to JupyterLab."""
    folder = refresh_working_copies(REPOSITORY)
    # defaults for JupyterLab: no news, a printed address is no link to the real Redbooth, one thread for all widgets
    paths = filter(None, [str(LAB_CONFIG), os.environ.get("JUPYTER_CONFIG_PATH")])
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    settings = [f"--ServerApp.root_dir={folder}", "--LabApp.default_url=/lab/tree/00-start-here.ipynb"]
    settings += ["--LabApp.custom_css=True", f"--ServerApp.tornado_settings=static_custom_path={LAB_CONFIG / 'custom'}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        settings.append("--allow-root")  # containers often have no other user
    from jupyterlab.labapp import main as jupyterlab  # slow to import, and only needed here

    return int(jupyterlab([*settings, *options]) or 0)


def refresh_working_copies(repository: Path) -> Path:
    """Copy the lessons, without their outputs, to `my-notebooks/`; return that folder.

    A link to another folder, which only the learner can have made, is followed.
    A copy in which the learner changed nothing but outputs follows the original. Any other is left alone: the
    new version is put beside it, and a sentence on stderr says so. Raises RedboothError when there are no lessons,
    or when the folder cannot be written to.
    """
    originals = sorted((repository / "notebooks").glob("*.ipynb"))
    if not originals:
        raise RedboothError.named("no_lessons", folder=repository / "notebooks")
    folder = repository / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        with locked(folder / LOCK):
            _update_all(originals, folder)
    except OSError as error:
        raise RedboothError.named("no_copies", folder=folder, reason=error.strerror) from None
    return folder


def _update_all(originals: list[Path], folder: Path) -> None:
    copied: dict[str, str] = {}  # where the note is lost, every copy that differs counts as changed: that loses nothing
    with suppress(OSError, *UNFIT):
        if (folder / NOTE).is_file():  # a pipe would never end
            copied |= json.loads((folder / NOTE).read_text(encoding="utf-8"))
    for original in originals:
        try:
            content = _without_outputs(original)
            newest = _digest(content)
        except (OSError, *UNFIT):
            print(f"{original} cannot be read (damaged, or a merge conflict); it was not copied.", file=sys.stderr)
            continue
        _update(folder / original.name, content, newest, copied.get(original.name))
        if copied.get(original.name) != newest:  # noted after each file: an interruption then costs nothing
            copied[original.name] = newest
            replace_file(folder / NOTE, json.dumps(copied, indent=1).encode())


def _update(copy: Path, content: bytes, newest: str, known: str | None) -> None:
    """Bring one copy up to date. known: the digest of the version that was copied or offered last."""
    written = _written(copy, content)
    if written in {"", known} and written != newest:
        replace_file(copy, content)
    elif newest not in {written, known}:
        names = (copy.with_name(f"{copy.stem}.new{number or ''}.ipynb") for number in count())
        beside = next(name for name in names if not os.path.lexists(name))
        replace_file(beside, content)
        why = "is a link, read-only, or no longer a notebook" if written == UNFIT_COPY else "has your changes"
        print(f"{copy.name} {why}; it was left alone, and the new version is in {beside.name}.", file=sys.stderr)


def _written(copy: Path, content: bytes) -> str:
    """Return the digest of what is written in a copy, "" for nothing, UNFIT_COPY for what must not be replaced."""
    try:
        mode = copy.lstat().st_mode
        if not (stat.S_ISREG(mode) and mode & stat.S_IWUSR):
            return UNFIT_COPY
        found = copy.read_bytes()
        return "" if found != content and content.startswith(found) else _digest(found)  # cut off by a full disk
    except FileNotFoundError:
        return ""
    except (OSError, *UNFIT):
        return UNFIT_COPY


def _without_outputs(notebook: Path) -> bytes:
    # by hand: importing nbformat takes longer than everything else that the command does before JupyterLab
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _digest(notebook: bytes) -> str:
    """Return the digest of what a person wrote: everything but what running and saving adds."""
    written = json.loads(notebook, object_hook=_written_by_a_person)
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()


def _written_by_a_person(fields: dict[str, object]) -> dict[str, object]:
    """Return fields without those that Jupyter writes, and without empty ones, which it adds and drops."""
    source = fields.get("source")  # a text, or its lines
    joined = {"source": "".join(source)} if isinstance(source, list) else {}
    return {name: value for name, value in {**fields, **joined}.items() if value and name not in BY_JUPYTER}
