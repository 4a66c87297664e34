"""What the sandbox says and serves, read from the files beside this one."""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from redbooth_nb.errors import RedboothError

_HERE = Path(__file__).parent
SENTENCES: Final[dict[str, dict[str, str]]] = tomllib.loads((_HERE / "sentences.toml").read_text(encoding="utf-8"))
SETTINGS: Final[dict[str, dict[str, Any]]] = tomllib.loads((_HERE / "settings.toml").read_text(encoding="utf-8"))
# where the sandbox deliberately answers differently from Doorkeeper 5.5
DIFFERENCES: Final[dict[str, dict[str, Any]]] = tomllib.loads((_HERE / "differences.toml").read_text(encoding="utf-8"))
TOKEN_TYPE: Final[str] = DIFFERENCES["token_type"]["sandbox"]
_SEED: Final[dict[str, Any]] = json.loads((_HERE / "seed.json").read_text(encoding="utf-8"))
FILTERS: Final[dict[str, str]] = _SEED["filters"]  # parameter of the API: field of a row
ROWS: Final = {kind: [{**pattern, **row} for row in _SEED[kind]] for kind, pattern in _SEED["patterns"].items()}
PEOPLE: Final[list[dict[str, Any]]] = ROWS["people"]


def person(number: int) -> dict[str, Any]:
    """Return the person with this id, or the first one."""
    return next((found for found in PEOPLE if found["id"] == number), PEOPLE[0])


class SandboxError(RedboothError):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""

    @classmethod
    def named(cls, name: str, /, **values: object) -> "SandboxError":
        """Return the error with the sentence of this name from ``sentences.toml``."""
        return cls(SENTENCES["sandbox"][name].format(**values))
