"""How the sandbox behaves where Redbooth's behaviour is unknown or has changed: a handful of switches."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from redbooth_nb.provider.sandbox.errors import SandboxError

_CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "refresh_revokes_old": ("at once", "on first use"),
    "state": ("echoed", "dropped"),
    "style": ("5.5", "2015"),
    "rate_limited": (False, True),
}


@dataclass(frozen=True)
class Switches:
    """A snapshot of the switches; ``Sandbox.switch`` changes them.

    ``refresh_revokes_old``: when the old pair dies after a refresh, "at once" or "on first use" of the new token.
    ``state``: "echoed" as Doorkeeper does, or "dropped" as Redbooth's own page probably does.
    ``style``: answers of Doorkeeper "5.5", or what redbooth.com was recorded to answer in "2015".
    ``token_lifetime``, ``code_lifetime``: seconds, for tokens and codes issued from now on.
    ``rate_limited``: True answers every API call with 429.
    """

    refresh_revokes_old: str = "at once"
    state: str = "echoed"
    style: str = "5.5"
    token_lifetime: int = 7200
    code_lifetime: int = 600
    rate_limited: bool = False

    def changed(self, **changes: Any) -> "Switches":  # noqa: ANN401 - each value is checked below
        """Return a copy with these switches changed, or raise SandboxError naming what would be right."""
        known = [field.name for field in fields(self)]
        for name, value in changes.items():
            if name not in known:
                raise SandboxError(
                    f"The sandbox has no switch named {name!r}, so nothing was changed. "
                    f"Its switches are: {', '.join(known)}."
                )
            if name in _CHOICES:
                if not any(
                    value is choice or (value == choice and type(value) is type(choice)) for choice in _CHOICES[name]
                ):
                    right = " or ".join(repr(choice) for choice in _CHOICES[name])
                    raise SandboxError(f"The switch {name} can't be {value!r}. It takes {right}.")
            elif type(value) is not int or value < 1:
                raise SandboxError(
                    f"The switch {name} can't be {value!r}. It takes a whole number of seconds, 1 or more."
                )
        return replace(self, **changes)
