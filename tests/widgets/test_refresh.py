"""The token card: what is stored, how long it lives, and what a refresh replaces."""

import pytest
from practice import DECIDE
from widgets.clicks import click, saved, shown

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import refresh, revoke
from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets.countdown import remaining_text
from redbooth_nb.widgets.refresh import TokenCard


@pytest.fixture
def token(app: Settings, decide: DECIDE) -> Token:
    """Return a token that is stored."""
    return exchange(decide(app))


def secrets_of(*tokens: Token) -> list[str]:
    return [secret.reveal() for token in tokens for secret in (token.access_token, token.refresh_token) if secret]


def stored(settings: Settings) -> Token:
    token = TokenStore(settings.folder).load()
    assert token is not None
    return token


def test_it_shows_the_token_without_showing_it(token: Token) -> None:
    card = TokenCard()
    assert card.text() == (f"{token.access_token}: fresh, expires in 2 h\n{token.refresh_token}: works once")
    for secret in secrets_of(token):
        for text in (saved(), repr(card), shown(card)):
            assert secret not in text


def test_time_passes_on_the_card_too(token: Token, sandbox: Sandbox) -> None:
    del token
    card = TokenCard()
    sandbox.advance(7200 - 30)
    click(card, "Look again")
    assert card._countdown.state == "soon"
    assert "expires soon, in " in card.text()
    sandbox.advance(31)
    assert ": expired" in card.text()


def test_refresh_shows_what_it_replaced(token: Token, app: Settings) -> None:
    card = TokenCard()
    click(card, "Refresh")
    new = stored(app)
    assert new.access_token != token.access_token
    assert f"Replaced: {token.access_token} and {token.refresh_token}, both dead now" in card.text()
    assert str(new.access_token) in card.text()
    for secret in secrets_of(token, new):
        for text in (saved(), repr(card), shown(card)):
            assert secret not in text


def test_the_replaced_pair_is_crossed_out_and_the_place_is_named(token: Token, app: Settings) -> None:
    card = TokenCard()
    assert "<s>" not in shown(card)
    assert f">~/state/sandbox/{app.client_id}/token.json</code>" in shown(card)
    click(card, "Refresh")
    assert str(token.access_token).strip("<>") in shown(card).partition("<s>")[2].partition("</s>")[0]


def test_revoke_gives_the_permission_back(token: Token, app: Settings) -> None:
    card = TokenCard()
    click(card, "Revoke")
    assert TokenStore(app.folder).load() is None
    assert "There is no token yet." in card.text()
    assert f"Replaced: {token.access_token}" in card.text()
    assert card._countdown.layout.display == "none"
    click(card, "Look again")
    assert "There is no token yet." in shown(card)


def test_a_double_click_refreshes_once(token: Token) -> None:
    del token
    card = TokenCard()
    before = len(list(transcript))
    click(card, "Refresh")
    click(card, "Refresh")
    assert len(list(transcript)) == before + 1


def test_it_sees_what_others_did(token: Token) -> None:
    card = TokenCard()
    new = refresh()
    click(card, "Look again")
    assert f"{new.access_token}: fresh" in card.text()
    assert f"Replaced: {token.access_token}" in card.text()


def test_a_dead_refresh_token_is_a_sentence(token: Token, app: Settings) -> None:
    card = TokenCard()
    revoke()
    TokenStore(app.folder).save(token)
    click(card, "Refresh")
    assert "Problem." in shown(card)
    assert "Authorize again" in shown(card)
    assert stored(app) == token


def test_without_a_token_the_lesson_before_is_named(app: Settings) -> None:
    del app
    with pytest.raises(NotYet, match="There is no token yet"):
        TokenCard()


@pytest.mark.parametrize(
    ("lives", "words"),
    [
        (7200, "fresh, expires in 2 h"),
        (5400, "fresh, expires in 1 h 30 min"),
        (3599, "fresh, expires in 1 h"),
        (120, "fresh, expires in 2 min"),
        (20, "fresh, expires in 20 s"),
        (None, "the service did not say how long it lives"),
    ],
)
def test_a_lifetime_in_words(lives: int | None, words: str) -> None:
    token = Token.from_answer({"access_token": "an-access-token", "expires_in": lives}, 1000.0)
    assert remaining_text(token.remaining(1000.0), token.expires_in) == words


@pytest.mark.parametrize(("passed", "words"), [(7180, "expires soon, in 20 s"), (7200, "expired"), (9000, "expired")])
def test_a_lifetime_that_ends(passed: int, words: str) -> None:
    token = Token.from_answer({"access_token": "an-access-token", "expires_in": 7200}, 1000.0)
    assert remaining_text(token.remaining(1000.0 + passed), token.expires_in) == words
