"""The token card: what is stored and where, how long it lives, and what a refresh replaces."""

from redbooth_nb import TOKEN_URL, Settings, Token, TokenStore, refresh, revoke
from redbooth_nb.client.errors import bearer_problem
from redbooth_nb.configuration import for_people
from redbooth_nb.errors import NotYet
from redbooth_nb.secret import Secret
from redbooth_nb.widgets.countdown import Countdown, remaining_text
from redbooth_nb.widgets.live import LiveView, tell
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.snapshot import Snapshot
from redbooth_nb.widgets.view import Markup, button, code, row

NO_TOKEN = "There is no token yet."  # noqa: S105  (a sentence)
NO_REFRESH = "There is no refresh token: authorize again when it expires"
REMEDY = "Do notebook 03-exchange, or run: catch_up('refresh')"


class TokenCard(LiveView):
    """Shows the stored token by its fingerprint; it follows by itself. `refresh()` and `revoke()` do what buttons do.

    Raises NotYet where there is no token to show.
    """

    title = "Stored tokens"
    picture = "refresh"

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self.store = TokenStore(self.settings.folder)
        self._shown = self.store.load()
        self._before: Token | None = None
        if self._shown is None:
            raise NotYet(NO_TOKEN, remedy=REMEDY)
        self._pair, self._message, self._countdown = Markup(), Message(), Countdown(None, None)
        refresh_it = button("Refresh", self.refresh, self._message, primary=True)
        buttons = row(refresh_it, button("Revoke", self.revoke, self._message))
        super().__init__([self._pair, self._countdown, buttons, self._message])

    def refresh(self) -> Token:
        """Replace the stored token with a new one. Raises what `redbooth_nb.refresh` raises."""
        token = refresh(self.settings)
        tell()
        return token

    def revoke(self) -> None:
        """Give the permission back; the next sign-in asks the user again. Raises what `redbooth_nb.revoke` raises."""
        revoke(self.settings)
        tell()

    def _show(self) -> None:
        now = Snapshot(self.settings)
        token = now.token
        if self._shown != token:
            self._before, self._shown = self._shown or self._before, token
            self._message.say("A new token arrived and is saved." if token else "")
        if "exchange" in now.problems:
            self._message.say(now.problems["exchange"], "problem")
        left, lives = token.remaining(now.now) if token else None, "opens the account"
        lines = self._lines(now, "has expired" if left is not None and left <= 0 else lives)
        drawn = [f"{code(name) if name else ''} {words}." for name, words in lines]
        if token:
            self._countdown.set(left, token.expires_in)
            drawn.append(f"On disk: {code(for_people(self.store.path))}, readable only by you.")
        self._countdown.layout.display = "" if token else "none"
        became, old = self._past()
        self._pair.show("<br>".join([f"{became}: <s>{' '.join(map(code, old))}</s>"] * bool(old) + drawn))

    def text(self) -> str:
        """Describe the stored token: kind and fingerprint, lifetime in words, and the token it replaced."""
        now, (became, old) = Snapshot(self.settings), self._past()
        lives = remaining_text(now.token.remaining(now.now), now.token.expires_in) if now.token else ""
        lines = [f"{name}: {words}" if name else f"{words}." for name, words in self._lines(now, lives)]
        return "\n".join(lines + [f"{became}: {' and '.join(old)}"] * bool(old))

    def _past(self) -> tuple[str, list[str]]:
        """Return what became of the token before, and its secrets."""
        old = [self._before.access_token, self._before.refresh_token] if self._before else []
        return "Replaced" if self._shown else "No longer stored", [str(secret) for secret in old if secret]

    def _lines(self, now: Snapshot, lives: str) -> list[tuple[str, str]]:
        """Return what there is to say about each token."""
        token = now.token
        if token is None:
            return [("", f"No token is stored. {REMEDY}")]
        access = (str(token.access_token), _refused(now, token.access_token) or lives)
        if token.refresh_token is None:
            return [access, ("", NO_REFRESH)]
        return [access, (str(token.refresh_token), _refused(now, token.refresh_token) or "works once")]


def _refused(now: Snapshot, token: Secret) -> str:
    """Say so if Redbooth refused a token when it was last sent."""
    shown, problem = str(token), ""
    for trip in now.round_trips:
        if any(shown in str(value) for _, value in [*trip.request_headers, *trip.fields]):
            told = [str(value) for name, value in trip.response_headers if name.lower() == "www-authenticate"]
            error = trip.body.get("error") if isinstance(trip.body, dict) and trip.address == TOKEN_URL else ""
            problem = error if isinstance(error, str) and error else bearer_problem("".join(told))
    return f"was refused: {problem}" if problem else ""
