"""Every request that this notebook sent to Redbooth, and its answer, newest last."""

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from redbooth_nb import changes
from redbooth_nb.traffic.round_trip import RoundTrip

KEPT = 500  # round trips


class Transcript:
    """The round trips of this notebook, newest last. Safe to use from several threads."""

    def __init__(self, round_trips: Iterable[RoundTrip] = ()) -> None:
        self._round_trips = deque(round_trips, maxlen=KEPT)

    def note(self, response: requests.Response, *_: Any, stream: bool = False, **__: Any) -> None:
        """Note down a request and its answer; a response hook for requests.

        An answer too strange to be noted is left out: the request that it answers must not fail because of this.
        """
        try:
            round_trip = RoundTrip.from_response(response, stream=stream)
        except requests.RequestException:
            raise  # the body broke off while it was read: that is the caller's to know
        except Exception as error:
            # by name only: the text and the frames lead to the answer, which holds the secrets
            logging.getLogger(__name__).warning("An answer could not be noted: %s", type(error).__name__)
            return
        self._round_trips.append(round_trip)
        changes.announce()

    def __iter__(self) -> Iterator[RoundTrip]:
        return iter(self._round_trips.copy())  # in one step, whatever other threads add meanwhile

    def __len__(self) -> int:
        return len(self._round_trips)

    @property
    def last(self) -> RoundTrip | None:
        """The newest round trip, None before the first."""
        return self._round_trips[-1] if self._round_trips else None

    def __str__(self) -> str:
        return "\n\n".join(str(round_trip) for round_trip in self) or "Nothing has been sent to Redbooth yet."

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """All round trips as Markdown, to paste into an issue or a help channel.

        A fence is longer than any row of backticks in what it holds, so nothing in an answer can leave its block.
        """
        blocks = []
        for number, text in enumerate(map(str, self), 1):
            fence = "`" * max([3, *(len(row) + 1 for row in re.findall("`+", text))])
            title = re.sub(r"[^\w :/.?=&-]", "_", text.partition("\n")[0].partition("?")[0])
            blocks.append(f"**{number}. {title}**\n\n{fence}http\n{text}\n{fence}")
        return "\n\n".join(blocks)

    @property
    def mermaid(self) -> str:
        """All round trips as a Mermaid sequence diagram."""
        lines = ["sequenceDiagram", "    participant App", "    participant Redbooth"]
        for round_trip in self:
            grant = next((f" {value}" for name, value in round_trip.fields if name == "grant_type"), "")
            label = f"{round_trip.method} {urlsplit(round_trip.address).path}{grant}"
            label = re.sub(r"[^ /.:a-zA-Z0-9_-]", "_", label)  # nothing that Mermaid reads
            lines += [f"    App->>Redbooth: {label}", f"    Redbooth-->>App: {round_trip.status} {round_trip.reason}"]
        return "\n".join(lines)


transcript = Transcript()
