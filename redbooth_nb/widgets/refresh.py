"""The token card: what is stored, how long it lives, and what a refresh replaces."""

from redbooth_nb import TOKEN_URL, Settings, Token, TokenStore, refresh, revoke
from redbooth_nb.client.refresh import DEAD
from redbooth_nb.client.wire import bearer_problem
from redbooth_nb.configuration import for_people
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.addresses import REVOKE_URL
from redbooth_nb.secret import Secret
from redbooth_nb.widgets.countdown import Countdown
from redbooth_nb.widgets.flow_map import OK, Snapshot
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.markup import panels
from redbooth_nb.widgets.view import TEXTS, Asking, Markup, row

SAID = TEXTS["card"]
REVOKED, USED, REPLACED = "revoked", "already used", "replaced by a refresh"


class TokenCard(LiveView):
    """Shows the stored token by its fingerprint, and updates itself. `refresh()` and `revoke()` do what the buttons do.

    Raises NotYet when there is no token to show.
    """

    def __init__(self) -> None:
        self._folder = Settings.load().folder
        self._shown = TokenStore(self._folder).load()
        self._before: Token | None = None
        self._told: list[tuple[Secret | None, str]] = []
        self._problem = ""
        if self._shown is None:
            raise NotYet(SAID["nothing"], remedy=SAID["remedy"])
        self._access, self._rest, self._countdown = Markup(), Markup(), Countdown(None, None)
        self._refresh = self._button("Refresh", self.refresh, primary=True)
        self._revoke = Asking(self._message, self._button, "Revoke", self.revoke, *SAID["question"])
        buttons = row(self._refresh, self._revoke)
        super().__init__([row(self._access, self._countdown), self._rest, buttons, self._message])

    def refresh(self) -> Token:
        """Replace the stored token with a new one. Raises what `redbooth_nb.refresh` raises."""
        self.update()  # first, or an earlier event's message could replace this one's
        token = refresh()
        self.update()
        return token

    def revoke(self) -> None:
        """Give the permission back; the next sign-in asks the user again. Raises what `redbooth_nb.revoke` raises."""
        self.update()
        self._revoke.withdraw()
        revoke()
        self.update()
        self._message.say(SAID["revoked"])

    def _show(self) -> None:
        now = Snapshot()
        token, problem = now.token, now.problems.get("exchange") or now.problems.get("register") or ""
        lines = _lines(now, problem)
        if now.settings and now.settings.folder != self._folder:  # another app's tokens
            self._folder, self._shown, self._before = now.settings.folder, token, None
        if self._shown != token and (token or (now.settings and not problem)):  # else nobody knows what is there
            self._revoke.withdraw()
            self._before, self._shown = self._shown or self._before, token
            self._message.say("The stored tokens were replaced." if token else "")
        elif lines != self._told and self._message.said["kind"] == "info" and not self._revoke.asks:
            self._message.say("")  # it is no longer news
        if problem or self._problem:
            self._message.say(problem, "problem")
        self._told, self._problem = lines, problem
        self._refresh.disabled, self._revoke.button.disabled = not (token and token.refresh_token), token is None
        # the countdown shows its state, unless the provider's clock cannot be read
        counts = token if not lines[0][1] and "register" not in now.problems else None
        if counts:
            self._countdown.set(counts.remaining(now.now), counts.expires_in)
        self._countdown.layout.display = "" if counts else "none"
        file = TokenStore(now.settings.folder).path if now.settings and token else None
        place = f"On disk: {for_people(file)}, readable only by you." if file else ""
        access, *rest = [panels.token(*line, self._before is not None, place) for line in lines]
        self._access.value, self._rest.value = access, "".join([*rest, panels.past(*self._past())])

    def text(self) -> str:
        """Describe the stored token: kind and fingerprint, lifetime in words, and the token it replaced."""
        self.update()
        lives, (became, old) = self._countdown.text(), self._past()
        lines = [f"{token}: {state or lives}" if token else f"{state}." for token, state in self._told]
        return "\n".join(lines + [f"{became}: {' and '.join(map(str, old))}"] * bool(old))

    def _past(self) -> tuple[str, list[Secret]]:
        before = None if self._before == self._shown else self._before
        old = [before.access_token, before.refresh_token] if before else []
        return "Replaced" if self._shown else "No longer stored", [secret for secret in old if secret]


def _lines(now: Snapshot, problem: str) -> list[tuple[Secret | None, str]]:
    """Return what there is to say about each token; "" where its lifetime says it all."""
    if (token := now.token) is None:
        unknown = SAID["unread"] if problem else SAID["no_app"] if now.settings is None else ""
        return [(None, unknown or f"No token is stored. {SAID['remedy']}")]
    state = _fate(now, token.access_token)
    if token.refresh_token is None:
        return [(token.access_token, state), (None, SAID["no_refresh"])]
    pair = _fate(now, token.refresh_token)
    state = {REVOKED: REVOKED, USED: REPLACED}.get(pair, state)  # what ends one of them ends the other
    return [(token.access_token, state), (token.refresh_token, pair or "works once")]


def _fate(now: Snapshot, token: Secret) -> str:
    """Return what became of a token: revoked, used, refused or dead; "" where nothing is known."""
    shown, fate = str(token), SAID["dead"] if now.dead else ""
    for trip in now.round_trips:
        if any(shown in str(value) for _, value in [*trip.request_headers, *trip.fields]):
            told = [str(value) for name, value in trip.response_headers if name.lower() == "www-authenticate"]
            error = trip.body.get("error") if isinstance(trip.body, dict) and trip.address == TOKEN_URL else ""
            # any other error, such as invalid_client, says nothing about the token
            problem = error if isinstance(error, str) and error in DEAD else bearer_problem("".join(told))
            good = {REVOKE_URL: REVOKED, TOKEN_URL: USED}.get(trip.address, "") if trip.status == OK else ""
            fate = f"was refused: {problem}" if problem else good or fate * now.dead
    return fate
