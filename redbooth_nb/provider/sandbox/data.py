"""What the sandbox says and serves, read from the files beside this one."""

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from redbooth_nb.errors import RedboothError

_HERE = Path(__file__).parent
SENTENCES: Final[dict[str, dict[str, str]]] = tomllib.loads((_HERE / "sentences.toml").read_text(encoding="utf-8"))
SETTINGS: Final[dict[str, dict[str, Any]]] = tomllib.loads((_HERE / "settings.toml").read_text(encoding="utf-8"))
DIFFERENCES: Final[dict[str, dict[str, Any]]] = tomllib.loads((_HERE / "differences.toml").read_text(encoding="utf-8"))
TOKEN_TYPE: Final[str] = DIFFERENCES["token_type"]["sandbox"]
_SEED: Final[dict[str, Any]] = json.loads((_HERE / "seed.json").read_text(encoding="utf-8"))
FILTERS: Final[dict[str, str]] = _SEED["filters"]  # parameter of the API: field of a row
ROWS: Final = {kind: [{**pattern, **row} for row in _SEED[kind]] for kind, pattern in _SEED["patterns"].items()}
SWITCHES: Final[dict[str, list[Any]]] = SETTINGS["switches"]
LONGEST: Final = 100 * 31_557_600  # seconds in a hundred years: the most by which the clock moves or a token lives
PEOPLE: Final[list[dict[str, Any]]] = ROWS["people"]


def person(number: int) -> dict[str, Any]:
    """Return the person with this id, or the first one."""
    return next((found for found in PEOPLE if found["id"] == number), PEOPLE[0])


class SandboxError(RedboothError):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""


class Switches(SimpleNamespace):
    """A snapshot of the switches, which ``settings.toml`` lists; ``Sandbox.switch`` changes them."""

    def __init__(self, **changed: object) -> None:
        super().__init__(**{name: values[0] for name, values in SWITCHES.items()} | changed)


def switch_problem(name: str, value: object) -> SandboxError | None:
    """Return why this switch can't have this value, or None if it can."""
    choices = [repr(choice) for choice in SWITCHES.get(name, [])]
    if not choices:
        return SandboxError.named("sandbox_switch", name=name, known=", ".join(SWITCHES))
    if len(choices) > 1:
        good, allowed = repr(value) in choices, " or ".join(choices)  # by repr, because 1 == True
    else:
        good, allowed = type(value) is int and 1 <= value <= LONGEST, f"a whole number of seconds from 1 to {LONGEST}"
    return None if good else SandboxError.named("sandbox_value", name=name, value=value, allowed=allowed)
