"""The sandbox's switches, for where Redbooth's behavior is unknown or has changed."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from redbooth_nb.provider.sandbox.errors import SandboxError

LONGEST: Final = 100 * 31_557_600  # seconds in a hundred years: the most by which the clock moves or a token lives
_CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "refresh_revokes_old": ("at once", "on first use"),
    "state": ("echoed", "dropped"),
    "style": ("5.5", "2015"),
    "rate_limited": (False, True),
}


@dataclass(frozen=True)
class Switches:
    """A snapshot of the switches; ``Sandbox.switch`` changes them.

    ``refresh_revokes_old``: when a refresh revokes the old pair, "at once" or "on first use" of the new token.
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

    @classmethod
    def stored(cls, values: dict[str, Any]) -> "Switches":
        """Read stored switches, leaving out what another version of the kit wrote and this one can't use."""
        return cls(**{name: value for name, value in values.items() if not _problem(name, value)})

    def changed(self, **changes: object) -> "Switches":
        """Return a copy with these switches changed, or raise SandboxError saying which values are allowed."""
        for name, value in changes.items():
            if problem := _problem(name, value):
                raise problem
        return Switches.stored({**asdict(self), **changes})


def _problem(name: str, value: object) -> SandboxError | None:
    known = [field.name for field in fields(Switches)]
    if name not in known:
        return SandboxError.named("switch", name=name, known=", ".join(known))
    if choices := _CHOICES.get(name):
        good = any(value == choice and type(value) is type(choice) for choice in choices)
        allowed = " or ".join(map(repr, choices))
    else:
        good, allowed = type(value) is int and 1 <= value <= LONGEST, f"a whole number of seconds from 1 to {LONGEST}"
    return None if good else SandboxError.named("value", name=name, value=value, allowed=allowed)
