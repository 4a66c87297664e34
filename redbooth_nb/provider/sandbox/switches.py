"""The sandbox's switches: what can be changed about its answers, and to what."""

from dataclasses import dataclass
from typing import Final, Literal, get_args, get_type_hints

from redbooth_nb.provider.sandbox.data import SandboxError

LONGEST: Final = 100 * 31_557_600  # seconds in a hundred years: the most by which the clock moves or a token lives


@dataclass(frozen=True)
class Switches:
    """A snapshot of the switches; ``Sandbox.switch`` changes them.

    ``refresh_revokes_old``: when a refresh revokes the old pair, "at once" or "on first use" of the new token.
    ``state``: "echoed" as Doorkeeper does, or "dropped" as Redbooth's own page probably does.
    ``style``: answers of Doorkeeper "5.5", or what redbooth.com was recorded to answer in "2015".
    ``token_lifetime``, ``code_lifetime``: seconds, for tokens and codes issued from now on.
    ``rate_limited``: True answers every API call with 429.
    """

    refresh_revokes_old: Literal["at once", "on first use"] = "at once"
    state: Literal["echoed", "dropped"] = "echoed"
    style: Literal["5.5", "2015"] = "5.5"
    token_lifetime: int = 7200
    code_lifetime: int = 600
    rate_limited: Literal[False, True] = False


def switch_problem(name: str, value: object) -> SandboxError | None:
    """Return why this switch can't have this value, or None if it can."""
    known = get_type_hints(Switches)
    if name not in known:
        return SandboxError.named("switch", name=name, known=", ".join(known))
    if choices := [repr(choice) for choice in get_args(known[name])]:
        good, allowed = repr(value) in choices, " or ".join(choices)  # by repr, because 1 == True
    else:
        good, allowed = type(value) is int and 1 <= value <= LONGEST, f"a whole number of seconds from 1 to {LONGEST}"
    return None if good else SandboxError.named("value", name=name, value=value, allowed=allowed)
