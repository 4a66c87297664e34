"""The invented people, projects and tasks that the sandbox serves, in the shapes of Redbooth's API."""

import json
from pathlib import Path
from typing import Any, Final

_SEED: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("seed.json").read_text(encoding="utf-8"))


def _rows(kind: str) -> list[dict[str, Any]]:
    """Complete each row with the pattern of its kind, and sort them newest first, as Redbooth does."""
    pattern = _SEED["patterns"][kind]
    return sorted(({**pattern, **row} for row in _SEED[kind]), key=lambda row: -int(row["id"]))


PEOPLE: Final = sorted(_rows("people"), key=lambda row: int(row["id"]))
ROWS: Final = {kind: _rows(kind) for kind in ("projects", "tasks")}
FILTERS: Final[dict[str, str]] = _SEED["filters"]  # parameter of the API: field of a row


def person(number: int) -> dict[str, Any]:
    """Return the person with this id, or the first one."""
    return next((found for found in PEOPLE if found["id"] == number), PEOPLE[0])
