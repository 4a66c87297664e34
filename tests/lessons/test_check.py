"""Checks look at facts, and help a little more each time."""

from collections.abc import Callable

import pytest
from client.machine import FaultyServer
from practice import DECIDE, SECRET, write_own

from redbooth_nb import RedboothSession, catch_up, refresh, revoke
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import TokenStore
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.course import LESSONS, check, requirements
from redbooth_nb.traffic.transcript import transcript

STAGES = [stage for stage in LESSONS if stage != "start"]  # where everything is done from the beginning
Said = Callable[[str], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return a function that checks a stage and returns what it printed."""

    def said(stage: str) -> str:
        capsys.readouterr()
        check(stage)
        return capsys.readouterr().out

    return said


def test_first_two_hints_then_the_answer(said: Said) -> None:
    first, second, third, fourth = (said("register") for _ in range(4))
    assert first.startswith("To do    No usable app: No app is registered yet.\n         Hint: Use the registration")
    assert {*first.splitlines()} < {*second.splitlines()}
    assert "Hint: After you register" in second
    assert "Answer: If you use the real redbooth.com, you can also put the Api Key" in third
    assert fourth == third


def test_each_thing_to_do_has_hints_of_its_own(said: Said) -> None:
    said("register")
    said("register")
    assert 'Hint: Run the cells under "The request"' in said("exchange")


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_done_at_the_beginning(said: Said, stage: str) -> None:
    told = said(stage)
    assert told.count("To do    ") == len(requirements(stage))
    assert "Done" not in told


def test_the_answers_do_what_they_say(said: Said) -> None:
    """A learner who only ever types the answers gets through the course."""
    assert "Functions that are still the kit's version: read_credentials." in said("register")
    write_own("register", "authorize", "exchange", "refresh")
    catch_up("authorize")
    assert "To do" not in said("register")
    assert "To do" in said("authorize")
    catch_up("exchange")
    assert "To do" not in said("authorize")
    assert "To do" in said("exchange")
    catch_up("refresh")
    assert said("exchange").startswith("Done     A token is stored.\nTo do    There has been no successful call to /me")
    RedboothSession().get("/me")
    assert "To do" not in said("exchange")
    assert "To do" in said("refresh")
    refresh()
    assert "To do" not in said("refresh")


def test_a_token_that_cannot_be_read_is_not_called_missing(said: Said, app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    (app.folder / "token.json").write_text("{")
    assert "token.json is damaged" in said("exchange")
    assert "No token is stored." not in said("exchange")


def test_a_denial_is_an_answer_but_no_code(said: Said, app: Settings, decide: DECIDE) -> None:
    decide(app, "deny")
    told = said("authorize")
    assert "To do    The last answer was a denial" in told
    assert "Done     state matched" in told


def test_a_code_that_was_exchanged_counts_as_one_that_came(said: Said, app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    assert "Done     A code came back." in said("authorize")


def test_a_new_pair_that_was_not_kept_is_missed(said: Said, app: Settings, decide: DECIDE) -> None:
    old = exchange(decide(app))
    refresh()
    TokenStore(app.folder).save(old)
    assert "To do    The newest refresh token is not stored." in said("refresh")


def test_after_a_revoke_there_is_nothing_to_save(said: Said, app: Settings, decide: DECIDE) -> None:
    write_own("refresh")
    exchange(decide(app))
    refresh()
    revoke(app)
    told = [said("refresh") for _ in range(3)]
    assert "To do    The new pair is no longer stored: it was revoked" in told[0]
    assert "save" not in "".join(told).replace("save, refresh, call", "")  # its own functions
    catch_up("refresh")
    told = said("refresh")
    assert "To do    In this notebook, no token has been refreshed" in told  # with the new permission
    refresh()
    assert "To do" not in said("refresh")


def test_a_refused_refresh_is_none(said: Said, app: Settings, decide: DECIDE) -> None:
    old = exchange(decide(app))
    refresh()
    TokenStore(app.folder).save(old)
    transcript._round_trips.clear()
    with pytest.raises(RedboothError):
        refresh()
    assert "To do    In this notebook, no token has been refreshed" in said("refresh")


def test_the_start_says_who_answers(said: Said) -> None:
    assert said("start").startswith("Done     Requests to https://redbooth.com go to the sandbox on this machine.\n")


def test_an_unusable_credential_is_named(said: Said, live: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", "an id")
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", SECRET)
    told = said("register")
    assert "To do    No usable app: The credentials in the environment cannot be right." in told
    assert SECRET not in told


def test_a_provider_that_cannot_be_reached_does_not_stop_a_check(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer.running() as server:
        monkeypatch.setenv("REDBOOTH_PROVIDER", server.origin)
    assert "To do" in said("exchange")


def test_no_check_shows_a_secret(said: Said, app: Settings, decide: DECIDE) -> None:
    answer = decide(app)
    token = exchange(answer)
    new = refresh()
    told = "".join(said(stage) for stage in STAGES)
    assert answer.code is not None
    assert new.refresh_token is not None
    for secret in (SECRET, answer.code.reveal(), token.access_token.reveal(), new.refresh_token.reveal()):
        assert secret not in told


def test_a_wrong_name_is_a_sentence() -> None:
    with pytest.raises(RedboothError, match=r"There is no stage 'refesh'.*\n.*start, register, authorize"):
        check("refesh")
