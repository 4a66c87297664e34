"""What the learner has done so far, in a note that all notebooks share."""

from typing import Any

from redbooth_nb.client.private_file import PrivateFile
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError


def noted() -> dict[str, Any]:
    """Return the note; a lost or damaged one is no reason to stop a lesson."""
    try:
        return _file().read() or {}
    except RedboothError:
        return {}


def note(**fields: object) -> None:
    """Add to the note, or replace parts of it. Raises StoreError when it cannot be written."""
    _file().write(noted() | fields)


def _file() -> PrivateFile:
    return PrivateFile(Configuration.read().state_dir / "progress.json")
