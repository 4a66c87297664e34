"""Who answers as Redbooth: here the real service, which the stand-ins and the recordings take after."""

import time
from typing import Literal

import requests

from redbooth_nb.provider.addresses import ORIGIN

Kind = Literal["live", "sandbox", "stand-in", "recorded"]


class Provider:
    """Redbooth, or who answers in its place. This one is the real service; the others override what differs.

    name: the folder its state is kept under. origin: where a browser finds it; for a sandbox that does not listen, the
    guide's own address. A `link` makes it listen.
    """

    kind: Kind = "live"
    name = "redbooth.com"
    origin = ORIGIN
    label = "the real redbooth.com"

    def deliver(self, session: requests.Session) -> None:
        """Let `session` reach this provider. Nothing to do for the real one."""

    def link(self, url: str = ORIGIN) -> str:
        """Return the address at which a browser on this machine finds the guide's `url`."""
        return self.origin + url.removeprefix(ORIGIN)

    def now(self) -> float:
        """Return the provider's clock in Unix seconds."""
        return time.time()

    def let_time_pass(self, seconds: float) -> bool:
        """Move the clock on, where that can be done. Returns whether it was."""
        del seconds
        return False
