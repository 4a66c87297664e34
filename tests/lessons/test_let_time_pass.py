"""Time passes where the provider's clock can be moved; elsewhere the learner is told, or waits for a short token."""

from collections.abc import Iterator

import pytest
from client.machine import FaultyServer
from practice import CLIENT_ID, DECIDE, SECRET

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.errors import NotYet
from redbooth_nb.lessons import practice
from redbooth_nb.lessons.practice import let_time_pass
from redbooth_nb.provider.sandbox import Sandbox


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the pauses instead of making them."""
    pauses: list[float] = []
    monkeypatch.setattr(practice.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def without_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Let a stand-in whose clock cannot be moved be the provider; return its app."""
    with FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
        yield save_credentials(CLIENT_ID, SECRET)


def keep_token(settings: Settings, lives: float, age: float = 0) -> None:
    """Store a token that came `age` seconds ago."""
    answer = {"access_token": "an-access-token", "refresh_token": "a-refresh-token", "expires_in": lives}
    TokenStore(settings.folder).save(Token.from_response(answer, settings.provider.now() - age))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(7200, "2 hours have passed."), (5400, "1.5 hours have passed."), (600, "10 minutes"), (1, "1 seconds")],
)
def test_the_sandboxs_clock_moves(  # noqa: PLR0913, PLR0917
    seconds: int, words: str, app: Settings, sandbox: Sandbox, decide: DECIDE, capsys: pytest.CaptureFixture[str]
) -> None:
    token = exchange(decide(app))
    before = token.remaining(sandbox.now())
    let_time_pass(seconds=seconds)
    after = token.remaining(sandbox.now())
    assert words in capsys.readouterr().out
    assert before is not None
    assert after is not None
    assert seconds <= before - after < seconds + 60


def test_a_long_life_is_told(without_clock: Settings, slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    keep_token(without_clock, 7200)
    let_time_pass(seconds=7200)
    assert "cannot be moved. Your token is valid for another 120 minutes." in capsys.readouterr().out
    assert slept == []


@pytest.mark.parametrize(("lives", "age", "pause"), [(10, 0, 11), (2, 60, 1)])
def test_a_short_life_is_waited_for(  # noqa: PLR0913, PLR0917
    lives: int,
    age: int,
    pause: int,
    without_clock: Settings,
    slept: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep_token(without_clock, lives, age)
    let_time_pass(seconds=7200)
    assert "waited until the token had expired" in capsys.readouterr().out
    assert slept == [pytest.approx(pause, abs=2)]
    assert sum(slept) >= 1


def test_without_a_token_there_is_nothing_to_wait_for(
    without_clock: Settings,  # noqa: ARG001  (it is the provider)
    slept: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    let_time_pass(seconds=7200)
    assert "cannot be moved. You can run the next cells, but some need an expired token." in capsys.readouterr().out
    assert slept == []


def test_without_an_app_the_clock_stays_where_it_is(sandbox: Sandbox) -> None:
    before = sandbox.now()
    with pytest.raises(NotYet, match="No app is registered yet"):
        let_time_pass(seconds=7200)
    assert sandbox.now() - before < 3600
