"""The HTTP view: every request to Redbooth and its answer, headers folded, secrets replaced, ready to copy."""

import html
from collections.abc import Sequence

from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.traffic.round_trip import RoundTrip
from redbooth_nb.traffic.transcript import Transcript, transcript
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, fold, table

WHO = {"2": "success", "3": "info", "4": "warn", "5": "error"}


class HttpView(View):
    """Shows the round trips of this notebook, or those given. `update()` does what the button does."""

    picture = ("http", "two requests, the newest open with its request, its answer, folded headers and cURL.")

    def __init__(self, round_trips: Sequence[RoundTrip] | Transcript = transcript) -> None:
        self._round_trips = round_trips
        self._markup = Markup(self._drawn())
        message = Message()
        super().__init__([self._markup, button("Look again", self.update, message), message])

    def update(self) -> None:
        """Show what was exchanged until now."""
        self._markup.show(self._drawn())

    def _drawn(self) -> str:
        """Return the round trips as markup; the newest is open."""
        round_trips = list(self._round_trips)
        rows = [
            self._round_trip(number, e, opened=number == len(round_trips)) for number, e in enumerate(round_trips, 1)
        ]
        whole = Transcript.of(round_trips).markdown
        copy = fold("All of it as Markdown, safe to paste into a help channel", block(whole)) if round_trips else ""
        return "".join(rows) + copy or "Nothing has been sent to Redbooth yet."

    @property
    def last(self) -> str:
        """The newest round trip as text, "" before the first."""
        round_trips = list(self._round_trips)
        return str(round_trips[-1]) if round_trips else ""

    def text(self) -> str:
        """Return the round trips as text."""
        return str(Transcript.of(list(self._round_trips)))

    def _round_trip(self, number: int, round_trip: RoundTrip, *, opened: bool) -> str:
        colour = WHO.get(str(round_trip.status)[0], "info")
        path = html.escape(round_trip.address.partition("redbooth.com")[2] or round_trip.address)
        summary = (
            f"{number}. <strong>{round_trip.method}</strong> {path} "
            f'<span style="border-left:4px solid var(--jp-{colour}-color1);padding-left:6px">'
            f"{round_trip.status} {html.escape(round_trip.reason)}</span>"
        )
        origin = current_provider().origin
        curl = fold("As cURL, as in the guide", block(round_trip.curl()))
        if origin != "https://redbooth.com":
            curl += fold("As cURL, for your own sandbox", block(round_trip.curl(origin)))
        headers = fold("Request headers", table(("header", "value"), round_trip.request_headers))
        headers += fold("Response headers", table(("header", "value"), round_trip.response_headers))
        return fold(summary, block(str(round_trip)) + headers + curl, opened=opened)
