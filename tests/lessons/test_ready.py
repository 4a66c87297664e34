"""The way into a lesson: what is there is kept, what is missing is done, and on redbooth.com nothing is."""

import pytest
import requests
from practice import CLIENT_ID, DECIDE, SECRET
from provider.sandbox.visitor import registered

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.lessons import course
from redbooth_nb.lessons.explain import describe_error
from redbooth_nb.lessons.practice import allow, catch_up, ready
from redbooth_nb.provider.addresses import API_URL, TOKEN_URL
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import Visitor
from redbooth_nb.traffic.transcript import transcript


@pytest.mark.parametrize("stage", ["start", "register"])
def test_the_first_two_need_nothing(stage: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert ready(stage) is None
    assert capsys.readouterr().out == "Requests to https://redbooth.com go to the sandbox on this machine.\n"
    assert registered(sandbox) == []


def test_an_app_is_registered_once(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ready("authorize")
    assert settings is not None
    assert f"so one was registered for you: client id {settings.shown_client_id}\n" in capsys.readouterr().out
    assert ready("authorize") == settings
    assert f"Your app has the client id {settings.shown_client_id}\n" in capsys.readouterr().out
    assert len(registered(sandbox)) == 1


def test_a_code_that_waits_is_kept(app: Settings, decide: DECIDE, capsys: pytest.CaptureFixture[str]) -> None:
    code = decide(app).code
    ready("exchange")
    assert f"Your {code!r} is waiting to be exchanged." in capsys.readouterr().out
    assert AuthorizationResponse.last(app).code == code


@pytest.mark.parametrize("lost", ["never came", "too old", "used", "denied"])
def test_a_fresh_code_is_fetched_where_there_is_none(
    lost: str, app: Settings, sandbox: Sandbox, decide: DECIDE, capsys: pytest.CaptureFixture[str]
) -> None:
    before = None if lost == "never came" else decide(app, "deny" if lost == "denied" else "allow").code
    if lost == "too old":
        sandbox.advance(601)
    if lost == "used":
        exchange()
    ready("exchange")
    assert (
        "There was no fresh code, so the kit clicked Allow for you: <authorization code ..." in capsys.readouterr().out
    )
    code = AuthorizationResponse.last(app).code
    assert code is not None
    assert code != before


def test_a_code_with_pkce_is_left_to_the_end_of_the_lesson(app: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The lesson exchanges without the verifier at first."""
    code = allow(app, pkce=True).code
    ready("exchange")
    response = AuthorizationResponse.last(app)
    assert response.code != code
    assert response.request.code_verifier is None
    assert "is waiting to be exchanged" not in capsys.readouterr().out


def test_a_token_that_is_there_is_kept(app: Settings, decide: DECIDE, capsys: pytest.CaptureFixture[str]) -> None:
    token = exchange(decide(app))
    asked = len(list(transcript))
    assert ready("refresh") == app
    assert f"Your {token.access_token!r} is stored." in capsys.readouterr().out
    assert len(list(transcript)) == asked


def test_a_token_that_the_user_revoked_is_replaced(
    app: Settings, decide: DECIDE, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the window of 06: the stored token is dead, and nothing but a new sign-in helps."""
    old = exchange(decide(app))
    user = Visitor(connect(requests.Session()))
    user.open("https://redbooth.com/oauth2/authorized_applications")
    user.press("Revoke")
    assert catch_up("refresh") == app
    assert "There was no token that still worked" in capsys.readouterr().out
    assert TokenStore(app.folder).require().access_token != old.access_token
    assert RedboothSession().get("/me").ok


def test_a_switch_that_was_forgotten_is_named(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.switch(state="dropped", refresh_revokes_old="on first use")
    ready("register")
    told = "A refresh invalidates the old pair: on first use of the new pair; state in the callback: dropped"
    assert f"The sandbox's switches are not at their usual values: {told}\n" in capsys.readouterr().out


def test_everything_missing_is_done_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ready("refresh")
    assert settings is not None
    token = TokenStore(settings.folder).load()
    assert token is not None
    told = capsys.readouterr().out
    assert told.count("\n") == 5
    assert "kit's version: read_credentials, authorization_link, is_ours, exchange. You can write" in told
    assert "There was no token that still worked, so the kit exchanged a code and got you a new one: <" in told
    for secret in (settings.client_secret.reveal(), token.access_token.reveal()):
        assert secret not in told


def test_a_refused_exchange_is_a_sentence(app: Settings, sandbox: Sandbox, decide: DECIDE) -> None:
    """The service refuses what looked right: only a person can put that right."""
    response = decide(app)
    sandbox.advance(601)
    with pytest.raises(RedboothError, match="invalid_grant"):
        exchange(response)


@pytest.mark.parametrize("lost", ["reset", "deleted", "changed"])
def test_an_app_that_is_gone_is_replaced(
    app: Settings, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    """The sandbox was reset, or the app was deleted or changed on its page: each lesson begins all the same."""
    if lost == "reset":
        sandbox.reset()
    elif lost == "deleted":
        sandbox._database.transact(lambda tx: tx.run("DELETE FROM applications"))
    else:
        sandbox.seed_application("Practice app", app.redirect_uri, client_id=CLIENT_ID, client_secret="another-one")
    requirements = [each for each in course.requirements("register") if "is no longer registered" in each.text]
    assert [each.holds for each in requirements] == [False]
    catch_up("refresh")
    assert "No registered app was found, so one was registered for you" in capsys.readouterr().out
    assert Settings.load().wrong_field == ""
    assert RedboothSession().get("/me").ok


def test_a_session_that_is_not_connected_cannot_reach_redbooth() -> None:
    """Whoever forgets `connect` is told so, where the request would have gone to the real service."""
    ready("start")
    with pytest.raises(RedboothError, match="would have gone to the real redbooth") as caught:
        requests.post(TOKEN_URL, data={"client_secret": SECRET}, timeout=5)
    assert "the sandbox on this machine" in caught.value.why
    assert connect(requests.Session()).get(f"{API_URL}/me").status_code == requests.codes.unauthorized


def test_a_wrong_name_is_a_sentence() -> None:
    with pytest.raises(RedboothError, match="There is no stage 'Refresh'"):
        ready("Refresh")


@pytest.mark.usefixtures("live")
class TestOnRedbooth:
    """Nothing is sent: the fixture fails the test if it is."""

    @pytest.mark.parametrize("stage", ["authorize", "exchange", "refresh"])
    def test_without_an_app_the_first_lesson_is_named(self, stage: str) -> None:
        with pytest.raises(NotYet, match="No app is registered yet") as caught:
            ready(stage)
        assert "01-register" in describe_error(caught.value)

    @pytest.mark.parametrize(("stage", "first"), [("exchange", "authorization"), ("refresh", "no token")])
    def test_what_only_a_person_can_do_is_asked_for(self, stage: str, first: str) -> None:
        save_credentials(CLIENT_ID, SECRET)
        with pytest.raises(NotYet, match=first):
            ready(stage)

    def test_with_an_app_authorize_can_begin(self, capsys: pytest.CaptureFixture[str]) -> None:
        save_credentials(CLIENT_ID, SECRET)
        settings = ready("authorize")
        assert settings is not None
        told = capsys.readouterr().out
        assert told.startswith("Requests to https://redbooth.com go to the real redbooth.com.\n")
        assert SECRET not in told

    @pytest.mark.parametrize("stage", ["authorize", "exchange", "refresh"])
    def test_nothing_is_caught_up(self, stage: str) -> None:
        save_credentials(CLIENT_ID, SECRET)
        with pytest.raises(NotYet, match=r"only you can register an app and allow access(.|\n)*sandbox"):
            catch_up(stage)

    def test_nothing_is_broken_there(self) -> None:
        with pytest.raises(RedboothError, match="never does that to the real redbooth"):
            ready("every-error")
