"""The token card: what is stored, how long it lives, and what a refresh replaces."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from practice import DECIDE
from widgets.clicks import button, click, saved, shown, shows

from redbooth_nb import changes
from redbooth_nb.client.errors import AuthorizeAgain, TokenEndpointError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession, refresh, revoke
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.lessons.practice import allow, let_time_pass, pretend
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import Visitor
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets import view
from redbooth_nb.widgets.countdown import Countdown
from redbooth_nb.widgets.refresh import TokenCard
from redbooth_nb.widgets.time_machine import TimeMachine


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
    soon = shows(card, "expires soon")
    sandbox.advance(7200 - 30)
    assert soon.wait(5)
    assert card._countdown.text().startswith("expires soon")
    assert "expires soon, in " in card.text()
    sandbox.advance(31)
    assert ": expired" in card.text()


def test_refresh_shows_what_it_replaced(token: Token, app: Settings) -> None:
    card = TokenCard()
    click(card, "Refresh")
    new = stored(app)
    assert new.access_token != token.access_token
    assert f"Replaced: {token.access_token} and {token.refresh_token}" in card.text()
    assert str(new.access_token) in card.text()
    for secret in secrets_of(token, new):
        for text in (saved(), repr(card), shown(card)):
            assert secret not in text


def test_the_replaced_pair_is_crossed_out_and_the_place_is_named(token: Token, app: Settings) -> None:
    card = TokenCard()
    assert "<s>" not in shown(card)
    place = f"On disk: ~/state/sandbox/{app.folder.name}/token.json, readable only by you."
    assert f'title="{place}"' in shown(card)
    click(card, "Refresh")
    assert str(token.access_token).strip("<>") in shown(card).partition("<s>")[2].partition("</s>")[0]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no click be the second of a double click."""
    monkeypatch.setattr(view, "DOUBLE_CLICK", 0)


def test_a_double_click_on_revoke_only_asks(token: Token, app: Settings) -> None:
    """Its second click lands on what has taken its place."""
    card = TokenCard()
    click(card, "Revoke")
    click(card, "Revoke them")
    assert stored(app) == token
    assert "Revoke these tokens?" in shown(card)


@pytest.mark.usefixtures("patient")
def test_revoke_gives_the_permission_back(token: Token, app: Settings) -> None:
    card = TokenCard()
    click(card, "Revoke")
    click(card, "Revoke them")
    assert TokenStore(app.folder).load() is None
    assert "No token is stored." in card.text()
    assert f"No longer stored: {token.access_token}" in card.text()
    assert card._countdown.layout.display == "none"
    assert "No token is stored." in shown(card)
    assert [button(card, text).disabled for text in ("Refresh", "Revoke")] == [True, True]
    exchange(allow(app))
    card.update()
    assert [button(card, text).disabled for text in ("Refresh", "Revoke")] == [False, False]


def test_revoke_asks_first_and_a_call_does_not(token: Token, app: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "DOUBLE_CLICK", 0)
    card = TokenCard()
    click(card, "Revoke")
    assert "Revoke these tokens?" in shown(card)
    click(card, "Keep them")
    assert "Revoke these tokens?" not in shown(card)
    assert stored(app) == token
    click(card, "Revoke")
    refresh()  # another cell
    card.update()
    assert "Revoke these tokens?" not in shown(card)  # it asked about the pair before
    card.revoke()
    assert TokenStore(app.folder).load() is None


@pytest.mark.usefixtures("patient")
def test_an_answer_that_fails_is_a_sentence(token: Token, app: Settings) -> None:
    card = TokenCard()
    click(card, "Revoke")
    with pretend(503):
        click(card, "Revoke them")
    assert "Problem." in shown(card)
    assert stored(app) == token
    assert not button(card, "Revoke").disabled


def test_a_double_click_refreshes_once(token: Token) -> None:
    del token
    card = TokenCard()
    before = len(list(transcript))
    click(card, "Refresh")
    click(card, "Refresh")
    assert len(list(transcript)) == before + 1


def test_it_follows_what_others_do(token: Token) -> None:
    """The learner's own cell, or another notebook."""
    card = TokenCard()
    replaced = shows(card, "Replaced")
    new = refresh()
    assert replaced.wait(5)
    assert f">...{new.access_token.fingerprint}</span>" in shown(card)
    assert f"{new.access_token}: fresh" in card.text()
    assert f"Replaced: {token.access_token}" in card.text()


def test_after_a_revocation_nothing_opens_the_account(token: Token) -> None:
    card = TokenCard()
    gone = shows(card, "No token is stored.")
    revoke()
    assert gone.wait(5)
    assert card._countdown.layout.display == "none"
    assert "replaced" not in shown(card)
    assert f"No longer stored: {token.access_token}" in card.text()


def test_what_the_user_revoked_at_redbooth_is_known_after_the_next_call(token: Token, app: Settings) -> None:
    card = TokenCard()
    revoke()
    TokenStore(app.folder).save(token)
    with pytest.raises(AuthorizeAgain):
        RedboothSession().get("/me")
    card.update()
    assert f"{token.access_token}: was refused: revoked" in card.text()
    assert "was refused: revoked" in shown(card)
    assert card._countdown.layout.display == "none"


def test_what_the_user_revoked_is_known_in_the_sandbox_without_a_call(token: Token, app: Settings) -> None:
    card = TokenCard()
    revoke()
    TokenStore(app.folder).save(token)
    card.update()
    assert card.text().splitlines()[0] == f"{token.access_token}: no longer accepted by Redbooth"
    assert card._countdown.layout.display == "none"


def test_the_clock_is_followed(token: Token) -> None:
    """R58: what the card says is true after the clock moved, whoever moved it."""
    card, machine = TokenCard(), TimeMachine()
    for move in (lambda: machine.later(7200), lambda: let_time_pass(7200)):
        expired = shows(card, "expired")
        move()
        assert f"{token.access_token}: expired" in card.text()
        assert expired.wait(5)
        assert "fresh, expires" not in shown(card)
        fresh = shows(card, "fresh, expires")
        machine.back_to_now()
        assert fresh.wait(5)
        assert "expired" not in shown(card)


def test_another_notebooks_clock_is_noticed_when_somebody_turns_to_the_card(
    token: Token, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = TokenCard()
    monkeypatch.setattr(changes, "announce", lambda: None)  # it cannot reach this process
    sandbox.advance(7200)
    assert "fresh, expires" in shown(card)
    card._head._handle_custom_msg("look", [])
    assert "fresh, expires" not in shown(card)
    assert "expired" in shown(card)
    assert f"{token.access_token}: expired" in card.text()


def test_two_hours_later_nothing_says_fresh(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody did anything meanwhile: the laptop slept. The page counts by itself; this is what the kernel would say."""
    card = TokenCard()
    later = time.time() + 7201
    monkeypatch.setattr(time, "time", lambda: later)
    assert "fresh, expires" not in shown(card)
    assert "expired" in shown(card)
    assert f"{token.access_token}: expired" in card.text()


def test_a_dead_pair_is_not_called_new(token: Token, app: Settings) -> None:
    card = TokenCard()
    refresh()
    card.update()
    assert "The stored tokens were replaced." in shown(card)
    TokenStore(app.folder).save(token)  # as if the response had been lost
    card.update()
    assert " new" not in shown(card)
    assert card.text().startswith(
        f"{token.access_token}: replaced by a refresh\n{token.refresh_token}: already used\nReplaced: "
    )
    assert "works once" not in shown(card)
    assert "fresh, expires" not in shown(card)


def test_an_old_error_goes_with_the_next_success(token: Token, app: Settings) -> None:
    card = TokenCard()
    with pretend(503):
        click(card, "Refresh")
    assert "Problem." in shown(card)
    card.update()
    assert "Problem." in shown(card)  # it is still to be read
    TokenStore(app.folder).save(replace(token, access_token=Secret("access token", "another")))
    card.update()
    assert "Problem." not in shown(card)


def test_the_tokens_of_a_forgotten_app_are_not_called_fresh(token: Token, sandbox: Sandbox) -> None:
    card = TokenCard()
    sandbox.reset()  # as another notebook may do
    dead = "no longer accepted by Redbooth"
    assert card.text() == f"{token.access_token}: {dead}\n{token.refresh_token}: {dead}"


def test_a_token_without_a_refresh_token_says_so(token: Token, app: Settings) -> None:
    lone = replace(token, refresh_token=None)
    TokenStore(app.folder).save(lone)
    card = TokenCard()
    assert "There is no refresh token: authorize again when the access token expires." in card.text()
    assert "There is no refresh token" in shown(card)
    TokenStore(app.folder).save(replace(token, access_token=Secret("access token", "another")))
    card.update()
    assert "None" not in card.text() + shown(card)


def test_a_damaged_file_is_a_sentence(token: Token, app: Settings) -> None:
    card = TokenCard()
    (app.folder / "token.json").write_text("{", encoding="utf-8")
    card.update()  # as when somebody turns to it again
    assert "Problem." in shown(card)
    assert "is damaged" in shown(card)
    assert "Rename it" in shown(card)
    assert card.text() == "What is stored cannot be read."
    (app.folder / "token.json").unlink()
    TokenStore(app.folder).save(token)
    card.update()
    assert "Problem." not in shown(card)
    assert card.text().startswith(f"{token.access_token}: fresh")


def test_credentials_that_cannot_be_read_are_the_problem_not_the_token(token: Token, app: Settings) -> None:
    card, file = TokenCard(), Path(app.source)
    content = file.read_text()
    file.write_bytes(b"\xff\xfe")
    card.update()
    assert "is not UTF-8 text" in shown(card)
    assert card.text() == "What is stored cannot be read."
    file.unlink()
    card.update()
    assert "No app is registered." in card.text()
    file.write_text(content)
    card.update()
    assert card.text().startswith(f"{token.access_token}: fresh")
    assert "Problem." not in shown(card)


def test_a_damaged_sign_in_says_nothing_about_the_token(token: Token, app: Settings) -> None:
    card = TokenCard()
    (app.folder / "authorization.json").write_text("{", encoding="utf-8")
    card.update()
    assert card.text().startswith(f"{token.access_token}: fresh")
    card.revoke()
    assert "No token is stored." in card.text()


def test_an_expired_token_stays_so_where_the_clock_cannot_be_read(
    token: Token, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a damaged file of the sandbox would make an expired token fresh again."""
    assert token.expires_in is not None
    let_time_pass(seconds=token.expires_in)
    card = TokenCard()

    def fail(*_: object) -> None:
        raise RedboothError("The sandbox's file is damaged.")

    monkeypatch.setattr(type(sandbox), "now", fail)
    card.update()
    assert "The sandbox's file is damaged." in shown(card)
    assert card._countdown.layout.display == "none"


def test_another_apps_tokens_were_not_replaced(token: Token, app: Settings, decide: DECIDE, sandbox: Sandbox) -> None:
    card = TokenCard()
    other = sandbox.seed_application("Another", app.redirect_uri)
    newer = exchange(decide(save_credentials(other["client_id"], other["client_secret"], app.redirect_uri)))
    card.update()
    assert card.text().startswith(str(newer.access_token))
    assert str(token.access_token) not in card.text() + shown(card)


def test_what_is_no_longer_news_goes(token: Token) -> None:
    card = TokenCard()
    click(card, "Refresh")
    assert "The stored tokens were replaced." in shown(card)
    user = Visitor(connect(requests.Session()))
    user.open("https://redbooth.com/oauth2/authorized_applications")
    user.press("Revoke")
    card.update()
    assert "no longer accepted by Redbooth" in card.text()
    assert "were replaced" not in shown(card)
    assert token.refresh_token is not None


def test_after_revoke_it_says_so(token: Token) -> None:
    card = TokenCard()
    card.revoke()
    card.update()
    assert "Redbooth has revoked these tokens, and your app's copies have been deleted." in shown(card)
    assert token.expires_in


def test_a_refused_client_says_nothing_about_the_token(token: Token, app: Settings) -> None:
    wrong = replace(app, client_secret=Secret("client secret", "another-secret"))
    with pytest.raises(TokenEndpointError, match="invalid_client"):
        refresh(wrong)
    assert f"{token.refresh_token}: works once" in TokenCard().text()


def test_a_dead_refresh_token_is_a_sentence(token: Token, app: Settings) -> None:
    card = TokenCard()
    revoke()
    TokenStore(app.folder).save(token)
    card.update()
    assert "Replaced" not in card.text()  # it is the same pair
    click(card, "Refresh")
    assert "Problem." in shown(card)
    assert "Authorize again" in shown(card)
    card.update()
    assert f"{token.refresh_token}: was refused: invalid_grant" in card.text()
    assert "works once" not in shown(card)
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
        (59, "fresh, expires in 59 s"),
        (31, "fresh, expires in 31 s"),
        (None, "the service did not say how long it is valid"),
    ],
)
def test_a_lifetime_in_words(lives: int | None, words: str) -> None:
    token = Token.from_response({"access_token": "an-access-token", "expires_in": lives}, 1000.0)
    assert Countdown(token.remaining(1000.0), token.expires_in).text() == words


@pytest.mark.parametrize(("passed", "words"), [(7180, "expires soon, in 20 s"), (7200, "expired"), (9000, "expired")])
def test_a_lifetime_that_ends(passed: int, words: str) -> None:
    token = Token.from_response({"access_token": "an-access-token", "expires_in": 7200}, 1000.0)
    assert Countdown(token.remaining(1000.0 + passed), token.expires_in).text() == words
