"""The token card: what is stored and where, how long it lives, and what a refresh replaces."""

import html

from redbooth_nb.client.refresh import refresh, revoke
from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.configuration import for_people
from redbooth_nb.errors import NotYet
from redbooth_nb.widgets.countdown import Countdown, remaining_text
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, button, code, row

NO_TOKEN = "There is no token yet."  # noqa: S105  (a sentence)
REMEDY = "Do notebook 03-exchange, or run: catch_up('refresh')"


class TokenCard(View):
    """Shows the stored token without showing it. `refresh()`, `update()` and `revoke()` do what the buttons do.

    Raises NotYet where there is no token to show.
    """

    picture = (
        "refresh",
        "the fingerprints of a pair of tokens, a countdown, Refresh, Look again, Revoke, and the old pair crossed out.",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self.store = TokenStore(self.settings.folder)
        if self.store.load() is None:
            raise NotYet(NO_TOKEN, remedy=REMEDY)
        self._shown: Token | None = None
        self._before: Token | None = None
        self._pair, self._message = Markup(), Message()
        self._countdown = Countdown(None, None)
        buttons = [
            button("Refresh", self._clicked, self._message, primary=True),
            button("Look again", self.update, self._message),
            button("Revoke", self.revoke, self._message),
        ]
        super().__init__([self._pair, self._countdown, row(*buttons), self._message])
        self.update()

    def refresh(self) -> Token:
        """Replace the stored token by a new one. Raises what `redbooth_nb.refresh` raises."""
        token = refresh(self.settings)
        self.update()
        return token

    def revoke(self) -> None:
        """Give the permission back; the next sign-in asks the user again. Raises what `redbooth_nb.revoke` raises."""
        revoke(self.settings)
        self.update()

    def update(self) -> None:
        """Read the store again and show what it holds, and what that replaced."""
        token = self.store.load()
        if self._shown is not None and (token is None or token.access_token != self._shown.access_token):
            self._before = self._shown
        self._shown = token
        self._pair.show(self._drawn(token))
        if token is None:
            self._countdown.layout.display = "none"
            self._message.say(self.text())
            return
        self._countdown.layout.display = ""
        self._countdown.set(token.remaining(self.settings.provider.now()), token.expires_in)
        self._message.say("The pair above is new, and saved." if self._before else "Both are on disk.")

    def text(self) -> str:
        """Describe the stored token: kind and fingerprint, lifetime in words, and the pair it replaced."""
        token = self.store.load()
        lines = [NO_TOKEN]
        if token is not None:
            lines = [
                f"{token.access_token}: {self._lives(token)}",
                f"{token.refresh_token}: works once",
            ]
        if self._before is not None:
            lines.append(f"Replaced: {self._before.access_token} and {self._before.refresh_token}, both dead now")
        return "\n".join(lines)

    def _lives(self, token: Token) -> str:
        return remaining_text(token.remaining(self.settings.provider.now()), token.expires_in)

    def _clicked(self) -> None:
        self.refresh()

    def _drawn(self, token: Token | None) -> str:
        old, new = self._before, ""
        gone = f"<p>Replaced, dead now: <s>{code(old.access_token)} {code(old.refresh_token)}</s></p>" if old else ""
        if token is not None:
            new = (
                f"<p>{code(token.access_token)} opens the account.<br>{code(token.refresh_token)} gets the next pair, "
                f"once.<br>On disk: {code(for_people(self.store.path))}, readable only by you.</p>"
            )
        return gone + (new or f"<p>{NO_TOKEN} {html.escape(REMEDY)}</p>")
