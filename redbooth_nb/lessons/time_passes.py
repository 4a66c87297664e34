"""Two hours in an instant, where the provider's clock can be moved."""

import time

from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.widgets.live import tell

HOUR = 3600  # seconds
LONGEST_WAIT = 15  # seconds a cell may sleep for a short-lived token


def let_time_pass(seconds: float) -> None:
    """Move the provider's clock on by `seconds`, and say so.

    Where the clock cannot be moved, a token about to expire is waited for; for others it says how long they live.
    """
    settings = Settings.load()
    provider, token = settings.provider, TokenStore(settings.folder).load()
    if provider.let_time_pass(seconds):
        tell()
        words = f"{seconds / 3600:.3g} hours" if seconds >= HOUR else f"{seconds / 60:.3g} minutes"
        print(f"{words} have passed.")  # noqa: T201  (printing is what it is for)
        return
    left = token.remaining(provider.now()) if token else None
    if left is None or left > LONGEST_WAIT:
        lives = f" Your token lives for another {left / 60:.0f} minutes." if left else ""
        print(f"The clock of {provider.label} cannot be moved.{lives} What follows shows what can be shown.")  # noqa: T201
        return
    time.sleep(max(left, 0) + 1)
    print(f"The clock of {provider.label} cannot be moved, so the kit waited until the token had expired.")  # noqa: T201
