"""The one exception the sandbox raises, and the sentences people read."""

import tomllib
from pathlib import Path
from typing import Final

from redbooth_nb.errors import RedboothError

SENTENCES: Final[dict[str, dict[str, str]]] = tomllib.loads(
    Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8")
)


class SandboxError(RedboothError):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""

    @classmethod
    def named(cls, name: str, /, **values: object) -> "SandboxError":
        """Return the error with the sentence of this name from ``sentences.toml``."""
        return cls(SENTENCES["sandbox"][name].format(**values))
