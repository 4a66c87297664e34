"""The flow map without a browser: it shows what has happened, follows by itself, and holds no secret."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from practice import DECIDE, SECRET
from widgets.clicks import saved

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import refresh
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets.flow_map import FlowMap


def progress(shown: FlowMap) -> list[str]:
    return [stage["progress"] for stage in shown._picture.stages]


def hop(shown: FlowMap, hop_id: str) -> dict[str, object]:
    (found,) = (hop for stage in shown._picture.stages for hop in stage["hops"] if hop["id"] == hop_id)
    return dict(found)


def expected(shown: FlowMap, wanted: list[str]) -> threading.Event:
    """Return an event that is set when the map shows these states."""
    event = threading.Event()

    def compare(_: object) -> None:
        if progress(shown) == wanted:
            event.set()

    shown._picture.observe(compare, names="stages")
    compare(None)
    return event


def test_it_is_there_before_anything_is(sandbox: Sandbox) -> None:
    del sandbox
    shown = FlowMap()
    assert progress(shown) == ["next", "not yet", "not yet", "not yet"]
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown) == shown.text()
    assert shown.text().startswith("0 of 4 stages done. Next is register.")
    assert "1 register: next\n    [>] Your app -> Redbooth: name and redirect URI\n" in shown.text()


def test_clicks_light_nothing_up(app: Settings) -> None:
    del app
    shown = FlowMap()
    before = shown.text()
    shown.show("new-token")
    assert shown._picture.selected == "new-token"
    shown.update()
    assert shown.text() == before
    shown.show("")
    assert shown._picture.selected == ""
    with pytest.raises(KeyError):
        shown.show("elsewhere")


@pytest.mark.usefixtures("app")
def test_it_follows_when_something_was_sent() -> None:
    shown = FlowMap()
    sent = threading.Event()
    shown._picture.observe(lambda _: hop(shown, "code")["round_trip"] and sent.set(), names="stages")
    connect(requests.Session()).post(TOKEN_URL, data={"grant_type": "authorization_code", "code": "wrong"})
    assert sent.wait(5)
    noted = str(hop(shown, "code")["round_trip"])
    assert "grant_type = authorization_code" in noted
    assert "\n--> 400 Bad Request" in noted


def test_it_follows_when_an_answer_arrives_and_when_a_token_is_kept(
    app: Settings, callback_of: Callable[..., str], decide: DECIDE
) -> None:
    """Neither is an exchange of this notebook: the browser brings the answer, the learner's own cell saves."""
    token = exchange(decide(app))
    TokenStore(app.folder).forget()
    request = AuthorizationRequest.new(app)
    callback = callback_of(request)
    shown = FlowMap()
    assert progress(shown) == ["done", "next", "not yet", "not yet"]
    arrived = expected(shown, ["done", "done", "next", "not yet"])
    AuthorizationResponse.read(callback, request)
    assert arrived.wait(5)
    kept = threading.Event()
    shown._picture.observe(lambda _: "Still stored" in str(hop(shown, "token")["note"]) and kept.set(), names="stages")
    TokenStore(app.folder).save(token)
    assert kept.wait(5)


def test_it_follows_when_an_app_is_registered(sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    del sandbox
    shown = FlowMap()
    registered = expected(shown, ["done", "next", "not yet", "not yet"])
    request.getfixturevalue("app")
    assert registered.wait(5)


def test_an_app_that_redbooth_forgot_has_to_be_registered_again(
    app: Settings, decide: DECIDE, sandbox: Sandbox
) -> None:
    exchange(decide(app))
    shown = FlowMap()
    sandbox.reset()
    shown.update()
    assert progress(shown) == ["next", "not yet", "not yet", "not yet"]
    assert hop(shown, "register")["note"] == "Redbooth no longer knows the app that was registered. Register it again."
    assert hop(shown, "credentials")["note"] == ""


def test_of_many_exchanges_it_shows_the_newest(app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    for _ in range(5):
        refresh()
    shown = FlowMap()
    newest = hop(shown, "refresh")
    assert newest["earlier"] == 4
    stored = TokenStore(app.folder).load()
    assert stored is not None
    assert repr(stored.access_token) in str(newest["round_trip"]).partition("-->")[2]


def test_what_happened_elsewhere_says_so(app: Settings, decide: DECIDE) -> None:
    decide(app)
    transcript._round_trips.clear()
    decision = hop(FlowMap(), "decision")
    assert (decision["progress"], decision["round_trip"]) == ("done", "")
    assert "which happened in the browser or in an earlier notebook" in str(decision["note"])
    assert hop(FlowMap(), "link")["note"] == ""


def test_in_words_it_is_right_in_the_next_line(app: Settings, decide: DECIDE) -> None:
    """Whether the picture has followed yet or not."""
    shown = FlowMap()
    decide(app)
    assert "3 exchange: next" in shown.text()


def test_a_damaged_file_is_a_sentence_on_the_map(app: Settings, decide: DECIDE) -> None:
    decide(app)
    Path(app.folder / "authorization.json").write_text("{", encoding="utf-8")
    shown = FlowMap()
    assert progress(shown) == ["done", "next", "not yet", "not yet"]
    assert "is damaged" in str(hop(shown, "link")["note"])
    assert "can't be read" in shown.text()
    assert "damaged" not in shown.text()  # it names a file of this machine, and the text is part of notebooks


def test_it_holds_no_secret_in_any_state(app: Settings, callback_of: Callable[..., str]) -> None:
    """R38: neither in its traits nor in what JupyterLab saves with the notebook."""
    shown, seen, secrets = FlowMap(), [], [SECRET]
    request = AuthorizationRequest.new(app, pkce=True)
    answer = AuthorizationResponse.read(callback_of(request), request)
    seen += [saved() + repr(shown)]
    for step in (exchange, refresh):
        token = step()
        shown.update()
        seen += [saved() + repr(shown)]
        secrets += [secret.reveal() for secret in (token.access_token, token.refresh_token) if secret]
    secrets += [secret.reveal() for secret in (answer.code, answer.callback_url, request.code_verifier) if secret]
    assert len(set(secrets)) == 8
    assert "<authorization code ..." in "".join(seen)
    assert "<refresh token ..." in "".join(seen)
    assert [secret for secret in secrets if secret in "".join(seen)] == []


def test_nothing_is_sent_to_the_browser_when_nothing_is_new(app: Settings) -> None:
    del app
    shown = FlowMap()
    changes: list[object] = []
    shown._picture.observe(changes.append)
    shown.update()
    assert changes == []


@pytest.mark.usefixtures("app")
def test_a_closed_map_hears_nothing_any_more() -> None:
    shown = FlowMap()
    shown.close()
    before = shown._picture.stages
    connect(requests.Session()).post(TOKEN_URL, data={"grant_type": "authorization_code", "code": "wrong"})
    assert shown._picture.stages is before
