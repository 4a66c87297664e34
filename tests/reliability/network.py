"""Every fault of the network, on both legs: named with its leg, nothing lost, nothing sent twice (R17, R19, R22)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from client.faults import BAD_ANSWERS, NO_ANSWERS
from client.machine import CLIENT_ID, CLIENT_SECRET, SILENT, TRICKLE, FaultyServer
from reliability.scene import CALLBACK

from redbooth_nb.client import exchange as exchange_module, refresh as refresh_module
from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import refresh
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.errors import RedboothError

FAULTS = {**BAD_ANSWERS, **NO_ANSWERS}
LEGS = ("exchange", "refresh")
FIRST = {"access_token": "first-access", "refresh_token": "first-refresh", "expires_in": 7200}
DEAD = r": invalid_(grant|request)\."  # on a refresh these have a sentence of their own


@dataclass
class Faults:
    """What came of the faults."""

    met: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def impatient() -> Iterator[pytest.MonkeyPatch]:
    """Let the kit take less than it would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange_module, "LARGEST_TOKEN_RESPONSE", 64 * 1024)
        yield patch


def meet(server: FaultyServer, patch: pytest.MonkeyPatch, leg: str, answer: bytes, said: str) -> list[str]:
    """Meet one fault on a leg; return what is wrong with how the kit takes it."""
    settings = save_credentials(CLIENT_ID, CLIENT_SECRET, CALLBACK)
    store, first = TokenStore(settings.folder), Token.from_response(FIRST, settings.provider.now())
    store.save(first)
    for module in (exchange_module, refresh_module):  # a third of a second in place of thirty, where none is coming
        patch.setattr(module, "TIMEOUT", (2, 0.3 if answer == SILENT else 20))
    patch.setattr(exchange_module, "SLOWEST_TOKEN_RESPONSE", 0.3 if answer == TRICKLE else 20.0)
    server.answers = [answer]
    server.received.clear()
    words = failure(settings, leg)
    problems = {
        "its leg is not named": not words.startswith(f"{leg}: POST https://redbooth.com/oauth2/token"),
        f"it says {words!r}": not re.search(said, words) and not re.search(DEAD, words),
        "it is called a missing token": "missing token" in words.lower(),
        f"{len(server.received)} requests": [asked["path"] for asked in server.received] != ["/oauth2/token"],
        "the token is lost": store.load() != first,
    }
    return [problem for problem, so in problems.items() if so]


def failure(settings: Settings, leg: str) -> str:
    """Do the leg; return what the kit's error says."""
    try:
        if leg == "refresh":
            refresh(settings)
        else:
            request = AuthorizationRequest.new(settings, pkce=True)
            query = urlencode({"code": f"code-of-the-user-{request.state}", "state": request.state})
            exchange(AuthorizationResponse.read(f"{request.redirect_uri}?{query}", request))
    except RedboothError as error:
        return " ".join(str(error).split())
    return "no error"


def every_fault(legs: tuple[str, ...] = LEGS) -> Faults:
    """Meet every fault on these legs."""
    found = Faults()
    with FaultyServer.running() as server, impatient() as patch:
        patch.setenv("REDBOOTH_PROVIDER", server.origin)
        for leg in legs:
            for name, (answer, said) in FAULTS.items():
                found.met += 1
                found.wrong += [f"{leg}, {name}: {problem}" for problem in meet(server, patch, leg, answer, said)]
    return found
