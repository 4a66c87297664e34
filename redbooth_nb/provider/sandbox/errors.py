"""The one exception the sandbox raises."""

from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.sandbox.data import SENTENCES


class SandboxError(RedboothError):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""

    @classmethod
    def named(cls, name: str, /, **values: object) -> "SandboxError":
        """Return the error with the sentence of this name from ``sentences.toml``."""
        return cls(SENTENCES["sandbox"][name].format(**values))
