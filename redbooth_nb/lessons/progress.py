"""What the learner has done so far, in a note that all notebooks share."""

from collections.abc import Callable
from typing import Any

from redbooth_nb.client.private_file import PrivateFile, locked
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError


def noted() -> dict[str, Any]:
    """Return the note; a lost or damaged one is no reason to stop a lesson."""
    try:
        return _file().read() or {}
    except RedboothError:
        return {}


def note(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Add to the note what `change` makes of it; other notebooks wait. Raises StoreError when it cannot be written."""
    with locked(_file().path.with_suffix(".lock")):
        before = noted()
        _file().write(before | change(before))


def _file() -> PrivateFile:
    return PrivateFile(Configuration.read().state_dir / "progress.json")
