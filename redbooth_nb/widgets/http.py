"""The HTTP view: requests to Redbooth and their responses, headers folded, secrets replaced, ready to copy."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.transcript import RoundTrip, Transcript, transcript, variable
from redbooth_nb.widgets.live import LiveView
from redbooth_nb.widgets.markup import panels
from redbooth_nb.widgets.view import TEXTS, Markup

SHOWN = 20  # round trips, the newest; `print(transcript)` has them all
ELSEWHERE = {"exchange": {"grant_type", "client_id", "redirect_uri"}, "refresh": {"grant_type"}}  # in the code


class HttpView(LiveView):
    """Shows the round trips of this notebook, or those given. It updates itself."""

    def __init__(self, round_trips: Sequence[RoundTrip] | Transcript = transcript) -> None:
        self._round_trips, self._markup = round_trips, Markup()
        super().__init__([self._markup, self._message])

    def _show(self) -> None:
        trips = list(self._round_trips)
        shown = list(enumerate(trips, 1))[-SHOWN:]
        earlier = f"<p>The newest {SHOWN} of {len(trips)} requests.</p>" if len(trips) > SHOWN else ""
        rows = [_drawn(number, trip, opened=number == len(trips)) for number, trip in shown]
        whole = Transcript(trip for _, trip in shown).markdown
        rows.append(panels.fold("All of this as Markdown, safe to paste into a help channel", panels.block(whole)))
        self._markup.value = earlier + "".join(rows) if trips else "Nothing has been sent to Redbooth yet."

    def text(self) -> str:
        """Return the round trips as text."""
        return str(Transcript(list(self._round_trips)))


def _drawn(number: int, trip: RoundTrip, *, opened: bool) -> str:
    folds = request_folds(trip, panels.headers(trip))
    return panels.round_trip(number, trip, trip.address.removeprefix(ORIGIN), folds, opened)


def request_folds(trip: RoundTrip, before: str = "", after: str = "") -> str:
    """Return a request as cURL, for redbooth.com and for the stand-in where one listens, and what else to fold."""
    origin = ORIGIN
    with suppress(RedboothError):  # the settings may be wrong by now
        origin = current_provider().origin
    own = trip.curl(origin) if origin != ORIGIN else ""
    return panels.request_folds(before, trip.curl(), own, after)


def python_fold(step: str, values: Iterable[tuple[str, "str | Secret"]], **more: str) -> str:
    """Return a step as Python code that runs as it is; secrets come from the environment or `.env`.

    step: as in `[code]` of texts.toml. values: what is in the request. more: code to put in.
    """
    shown = {name: f'values["{variable(v)}"]' if isinstance(v, Secret) else repr(v) for name, v in values}
    arguments = [f"    {name}={value},\n" for name, value in shown.items() if name not in ELSEWHERE.get(step, ())]
    pairs = [f"    {name!r}: {value},\n" for name, value in shown.items()]
    parts = {**TEXTS["code"], "arguments": "".join(arguments), "pairs": "".join(pairs), **shown, **more}
    return panels.fold("As Python, with requests-oauthlib", panels.block(TEXTS["code"][step].format_map(parts)))
