"""The HTTP view: every exchange with Redbooth, headers folded, secrets replaced, ready to copy."""

import html
from collections.abc import Sequence

from redbooth_nb.client.transcript import Exchange, Transcript, transcript
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.widgets.message import Message
from redbooth_nb.widgets.view import Markup, View, block, button, fold, table

WHO = {"2": "success", "3": "info", "4": "warn", "5": "error"}


class HttpView(View):
    """Shows the exchanges of this notebook, or those given. `look()` does what the button does."""

    picture = ("http", "two exchanges, the newest open with its request, its answer, folded headers and cURL.")

    def __init__(self, exchanges: Sequence[Exchange] | Transcript = transcript) -> None:
        self._exchanges = exchanges
        self._markup = Markup(self._drawn())
        message = Message()
        super().__init__([self._markup, button("Look again", self.look, message), message])

    def look(self) -> None:
        """Show what was exchanged until now."""
        self._markup.show(self._drawn())

    def _drawn(self) -> str:
        """Return the exchanges as markup; the newest is open."""
        exchanges = list(self._exchanges)
        rows = [self._exchange(number, e, opened=number == len(exchanges)) for number, e in enumerate(exchanges, 1)]
        whole = Transcript.of(exchanges).markdown
        copy = fold("All of it as Markdown, safe to paste into a help channel", block(whole)) if exchanges else ""
        return "".join(rows) + copy or "No exchange with Redbooth yet."

    @property
    def last(self) -> str:
        """The newest exchange as text, "" before the first."""
        exchanges = list(self._exchanges)
        return str(exchanges[-1]) if exchanges else ""

    def text(self) -> str:
        """Return the exchanges as text."""
        return str(Transcript.of(list(self._exchanges)))

    def _exchange(self, number: int, exchange: Exchange, *, opened: bool) -> str:
        colour = WHO.get(str(exchange.status)[0], "info")
        path = html.escape(exchange.address.partition("redbooth.com")[2] or exchange.address)
        summary = (
            f"{number}. <strong>{exchange.method}</strong> {path} "
            f'<span style="border-left:4px solid var(--jp-{colour}-color1);padding-left:6px">'
            f"{exchange.status} {html.escape(exchange.reason)}</span>"
        )
        origin = current_provider().origin
        curl = fold("As cURL, as in the guide", block(exchange.curl()))
        if origin != "https://redbooth.com":
            curl += fold("As cURL, for your own sandbox", block(exchange.curl(origin)))
        headers = fold("Request headers", table(("header", "value"), exchange.request_headers))
        headers += fold("Response headers", table(("header", "value"), exchange.response_headers))
        return fold(summary, block(str(exchange)) + headers + curl, opened=opened)
