"""The one exception the sandbox shows to people."""


class SandboxError(Exception):
    """The sandbox can't do what was asked; the message says what happened, why, and what to do."""
