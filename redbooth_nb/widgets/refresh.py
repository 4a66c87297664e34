"""The token card: what is stored, how long it lives, and what a refresh replaces."""

import ipywidgets as w

from redbooth_nb.client.refresh import refresh
from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.errors import NotYet
from redbooth_nb.widgets.view import Message, View, button


class TokenCard(View):
    """Shows the stored token without showing it. `refresh()` and `look()` do what the buttons do."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self.store = TokenStore(self.settings.folder)
        self._shown: Token | None = None
        self._before: Token | None = None
        self._message = Message()
        buttons = [
            button("Refresh", self._clicked, self._message, primary=True),
            button("Look again", self.look, self._message),
        ]
        super().__init__([self._message, w.HBox(buttons)])
        self.look()

    def refresh(self) -> Token:
        """Replace the stored token by a new one. Raises what `redbooth_nb.refresh` raises."""
        token = refresh(self.settings)
        self.look()
        return token

    def look(self) -> None:
        """Read the store again and show what it holds, and what that replaced."""
        token = self.store.load()
        if self._shown is not None and token is not None and token.access_token != self._shown.access_token:
            self._before = self._shown
        self._shown = token
        self._message.say(self.text())

    def _clicked(self) -> None:
        self.refresh()

    def text(self) -> str:
        """Describe the stored token: kind and fingerprint, lifetime in words, and the pair it replaced."""
        token = self.store.load()
        if token is None:
            raise NotYet("There is no token yet.", remedy="Do notebook 03-exchange, or run: catch_up('refresh')")
        lines = [
            f"{token.access_token}: {lifetime(token, self.settings.provider.now())}",
            f"{token.refresh_token}: works once",
        ]
        if self._before is not None:
            lines.append(f"Replaced: {self._before.access_token} and {self._before.refresh_token}, both dead now")
        return "\n".join(lines)


def lifetime(token: Token, now: float) -> str:
    """Say in words how long a token lives at `now`: fresh, soon, or expired."""
    left = token.remaining(now)
    if left is None:
        return "the service did not say how long it lives"
    if left <= 0:
        return "expired"
    hours, minutes = divmod(round(left / 60), 60)
    parts = [
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        "" if hours or minutes else f"{left:.0f} s",
    ]
    words = " ".join(part for part in parts if part)
    return f"{'expires soon, in' if token.needs_refresh(now) else 'fresh, expires in'} {words}"
