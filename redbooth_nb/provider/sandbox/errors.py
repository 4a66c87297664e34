"""The one exception the sandbox shows to people."""

from redbooth_nb.errors import RedboothError


class SandboxError(RedboothError):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""
