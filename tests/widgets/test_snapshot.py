"""How far the app has come: every point of the four stages, and files that make no sense."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from client.machine import CLIENT_SECRET, FaultyServer, reply

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import refresh, revoke
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import API_URL, REVOKE_URL
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets.flow_map import FlowMap, Snapshot

Hop = dict[str, Any]
Decide = Callable[..., AuthorizationResponse]
HOPS = ["register", "credentials", "link", "decision", "answer", "code", "token", "refresh", "new-token"]


def hops() -> list[Hop]:
    return list(Snapshot().hops())


def ahead() -> str:
    """Return the hop that comes next. All before it are done, and none after it, whatever has happened."""
    found = hops()
    done = sum(hop["progress"] == "done" for hop in found)
    assert [hop["progress"] for hop in found] == (["done"] * done + ["next"] + ["not yet"] * len(HOPS))[: len(HOPS)]
    return HOPS[done] if done < len(HOPS) else ""


def hop_of(hop_id: str) -> Hop:
    return {hop["id"]: hop for hop in hops()}[hop_id]


def stages() -> list[str]:
    return [stage["progress"] for stage in FlowMap()._picture.stages]


def summary() -> str:
    return str(FlowMap()._picture.summary)


def note(hop_id: str) -> str:
    return str(hop_of(hop_id)["note"])


def test_before_all_it_begins_with_register() -> None:
    found = hops()
    assert [hop["id"] for hop in found] == HOPS
    assert ahead() == "register"
    assert stages() == ["next", "not yet", "not yet", "not yet"]
    assert "Notebook 01-register" in found[0]["about"]


def test_the_whole_way_hop_by_hop(app: Settings, sandbox: Sandbox, decide: Decide) -> None:
    assert ahead() == "link"
    AuthorizationRequest.new(app)
    assert ahead() == "decision"
    decide(app)
    assert ahead() == "code"
    assert stages() == ["done", "done", "next", "not yet"]
    exchange()
    assert ahead() == "refresh"
    sandbox.advance(7200)
    refresh()
    assert ahead() == ""
    assert stages() == ["done"] * 4
    assert summary().startswith("All four stages are done.")


def test_each_hop_has_its_own_exchanges_and_no_others(app: Settings, decide: Decide) -> None:
    decide(app)
    exchange()
    refresh()
    connect(requests.Session()).get(f"{API_URL}/me")
    for name, grant in (("code", "authorization_code"), ("refresh", "refresh_token")):
        assert f"grant_type = {grant}\n" in hop_of(name)["round_trip"]
    seen = Snapshot().seen
    assert {e.address.rsplit("/", 1)[1] for e in seen["authorize"]} == {"authorize"}
    assert hop_of("answer")["round_trip"] == str(seen["authorize"][-1])
    assert hop_of("link")["round_trip"] == ""
    assert not any(e.address.startswith(API_URL) for trips in seen.values() for e in trips)
    assert not any(API_URL in hop["round_trip"] for hop in hops())


def test_what_an_earlier_notebook_did_still_counts(app: Settings, sandbox: Sandbox, decide: Decide) -> None:
    """A new kernel has an empty transcript; a token that is younger than any code can be was refreshed."""
    decide(app)
    exchange()
    refresh()
    transcript._round_trips.clear()
    assert ahead() == "refresh"  # within ten minutes nothing on disk shows it
    sandbox.advance(7200)
    refresh()
    transcript._round_trips.clear()
    assert ahead() == ""
    assert all(hop["round_trip"] == "" for hop in hops())


def test_a_denial_is_an_answer_that_leads_back_to_the_link(app: Settings, decide: Decide) -> None:
    decide(app, answer="deny")
    assert ahead() == "link"
    assert "ended without a code. The user clicked Deny" in note("link")
    assert "error=access_denied" in note("link")


def test_an_error_is_no_decision(app: Settings) -> None:
    request = AuthorizationRequest.new(app)
    AuthorizationResponse.read(f"{app.redirect_uri}?error=server_error&state={request.state}", request)
    assert ahead() == "link"
    assert "ended without a code." in note("link")


def test_a_code_that_is_too_old_leads_back_to_the_link(app: Settings, sandbox: Sandbox, decide: Decide) -> None:
    decide(app)
    sandbox.advance(601)
    assert ahead() == "link"
    assert "too old" in note("link")


def test_a_code_that_was_refused_is_sent_but_no_token(app: Settings, sandbox: Sandbox, decide: Decide) -> None:
    answer = decide(app)
    sandbox.advance(601)
    with pytest.raises(RedboothError):
        exchange(answer)
    assert ahead() == "link"
    assert "the code was refused" in note("link")
    assert "--> 400 " in hop_of("code")["round_trip"]


def test_after_a_revocation_the_way_begins_at_the_link(app: Settings, decide: Decide) -> None:
    decide(app)
    exchange()
    refresh()
    revoke()
    assert ahead() == "link"
    assert "has since been revoked" in note("link")
    assert stages() == ["done", "next", "not yet", "not yet"]
    assert [hop["note"] for hop in hops()[3:]] == [""] * 6  # nothing there contradicts it


def test_a_hop_that_is_not_done_says_what_it_is_for_and_nothing_that_happened() -> None:
    for hop in hops():
        assert hop["about"].endswith(".")
        assert hop["note"] == ""
        assert hop["round_trip"] == ""


def test_what_another_app_did_does_not_count(app: Settings, sandbox: Sandbox, decide: Decide) -> None:
    """One notebook may have several; its transcript has the round_trips of all."""
    decide(app)
    exchange()
    refresh()
    sandbox.seed_application("Other app", app.redirect_uri, client_id="0f" * 32, client_secret="5f" * 32)
    other = save_credentials("0f" * 32, "5f" * 32, app.redirect_uri)
    assert ahead() == "link"
    decide(other)
    exchange()
    assert ahead() == "refresh"
    assert len(Snapshot().seen["exchange"]) == 1
    assert (hop_of("code")["round_trip"] != "", hop_of("code")["earlier"]) == (True, 0)


def test_a_refresh_before_the_last_exchange_does_not_count(app: Settings, decide: Decide) -> None:
    decide(app)
    exchange()
    refresh()
    decide(app)
    exchange()
    assert ahead() == "refresh"


def test_a_new_sign_in_does_not_undo_what_the_stored_token_shows(app: Settings, decide: Decide) -> None:
    decide(app)
    exchange()
    AuthorizationRequest.new(app)
    assert ahead() == "refresh"
    assert note("token").startswith("Still stored from an earlier sign-in: <access token")
    decide(app)
    assert ahead() == "refresh"
    exchange()
    assert note("token").startswith("Stored: <access token")


def test_a_denial_changes_nothing_while_the_old_token_lives(app: Settings, decide: Decide) -> None:
    decide(app)
    exchange()
    request = AuthorizationRequest.new(app)
    AuthorizationResponse.read(f"{app.redirect_uri}?error=access_denied&state={request.state}", request)
    assert ahead() == "refresh"
    assert "The user clicked Deny" in note("link")


def test_the_implicit_answer_brings_no_code(app: Settings, decide: Decide) -> None:
    decide(app, response_type="token")
    assert "no code to exchange" in note("link")
    assert ahead() == "link"


def test_a_refused_refresh_is_sent_but_brought_nothing(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    del stored
    faulty.answers = [reply(400, '{"error": "invalid_grant"}')]
    with pytest.raises(RedboothError):
        refresh(app_at_faulty)
    assert ahead() == "refresh"
    assert "was sent and refused" in note("refresh")
    assert "--> 400 " in hop_of("refresh")["round_trip"]


WRONG = [
    "", "{", "[]", "null", "\x00\xff", '{"format": 99}', '{"format": 1}', '{"format": 1, "access_token": 5}',
    *(
        json.dumps({"format": 1, "state": "s", "response_type": "code", "redirect_uri": "r", "scope": "", "nonce": "",
                    "stale_states": [], "answered": True, "answered_at": at, "callback_url": url})
        for at, url in ((None, "http://x/?code=y"), ("soon", "http://x/?code=y"), (1, 5), (1, ["a"]), (1, "http://[/"))
    ),
]  # fmt: skip


@pytest.mark.parametrize("content", WRONG)
@pytest.mark.parametrize(("name", "hop"), [("authorization", "link"), ("token", "token")])
def test_a_file_that_makes_no_sense_is_a_stage_not_done(
    app: Settings, decide: Decide, name: str, hop: str, content: str
) -> None:
    decide(app)
    if name == "token":
        exchange()
    file = app.folder / f"{name}.json"
    file.write_text(content, encoding="latin-1")
    assert ahead() == "link"
    assert hop_of(hop)["progress"] != "done"
    assert file.name in note(hop) or "damaged" in note(hop)
    assert file.read_text(encoding="latin-1") == content


def test_files_that_others_may_read_are_not_done_either(app: Settings, decide: Decide) -> None:
    decide(app)
    exchange()
    for name in ("authorization.json", "token.json"):
        (app.folder / name).chmod(0o644)
    assert stages()[0] == "done"
    assert "can be read by others" in note("link") + note("token")


@pytest.mark.parametrize("line", ["REDBOOTH_CLIENT_ID=two words", "REDBOOTH_CLIENT_ID=\xff"])
def test_credentials_that_cannot_be_right_are_not_done(app: Settings, line: str) -> None:
    Path(app.source).write_text(f"{line}\nREDBOOTH_CLIENT_SECRET={CLIENT_SECRET}\n", encoding="latin-1")
    assert ahead() == "register"
    assert any(problem in note("register") for problem in ("cannot be right.", "is not UTF-8 text."))


def test_a_clock_that_cannot_be_read_is_a_sentence(app: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_: object) -> float:
        raise RedboothError("The sandbox's file is locked.")

    monkeypatch.setattr(type(app.provider), "now", locked)
    assert ahead() == "link"
    assert note("register") == "The sandbox's file is locked."


def test_a_wrong_provider_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "http://elsewhere.example")
    assert "is not a provider that the kit can use" in note("register")


def test_the_text_is_the_same_at_every_run(app: Settings, decide: Decide) -> None:
    """It is part of committed notebooks, so nothing in it may be random or secret."""
    decide(app)
    exchange()
    text = FlowMap().text()
    assert "4 refresh: next\n    [>] Your app -> Redbooth: refresh token and secret" in text
    assert "[x] User -> Redbooth: signs in, clicks Allow" in text
    for volatile in ("...", app.client_id, app.redirect_uri, "state="):
        assert volatile not in text


def test_no_part_of_it_holds_a_secret(app: Settings, sandbox: Sandbox, decide: Decide) -> None:
    """R38: in none of its states."""
    secrets, told = [CLIENT_SECRET], []
    for options in ({"answer": "deny"}, {"response_type": "token"}, {"pkce": True, "nonce": True}):
        answer = decide(app, **options)
        told += [everything()]
        secrets += [s.reveal() for s in (answer.code, answer.request.code_verifier) if s]
        secrets += [answer.token.access_token.reveal()] if answer.token else []
    for step in (exchange, refresh):
        token = step()
        told += [everything()]
        secrets += [s.reveal() for s in (token.access_token, token.refresh_token) if s]
    sandbox.advance(7200)
    assert len(set(secrets)) == 8
    assert "<authorization code ..." in "".join(told)
    assert [secret for secret in secrets if secret in "".join(told)] == []


def everything() -> str:
    shown = FlowMap()
    return f"{shown!r}{shown}{shown.text()}" + "".join(f"{hop}" for hop in hops())


def test_a_token_that_is_only_saved_counts(settings: Settings) -> None:
    TokenStore(settings.folder).save(Token.from_response({"access_token": "a", "refresh_token": "r"}, 1000.0))
    assert ahead() == "refresh"
    assert summary().startswith("3 of 4 stages done. Next is refresh.")


def test_a_newer_link_does_not_undo_what_was_done(app: Settings, decide: Decide) -> None:
    exchange(decide(app))
    AuthorizationRequest.new(app)
    assert ahead() == "refresh"
    assert hop_of("decision")["progress"] == "done"
    assert "comes from an earlier sign-in" in note("decision")
    assert "has not answered yet" not in note("answer") + note("link")


def test_a_token_that_redbooth_no_longer_accepts_leads_back_to_the_link(app: Settings, decide: Decide) -> None:
    exchange(decide(app))
    token = refresh()
    assert ahead() == ""
    own = {"client_id": app.client_id, "client_secret": app.client_secret.reveal()}
    form = {"token": token.access_token.reveal(), **own}  # as the user revokes it on Redbooth's page
    assert connect(requests.Session()).post(REVOKE_URL, data=form, timeout=5).status_code == 200
    assert ahead() == "link"
    assert "no longer accepts the stored token" in note("link")
    assert "Still stored" in note("token")
    assert (note("refresh"), note("new-token")) == ("", "")
    AuthorizationRequest.new(app)
    assert ahead() == "decision"
    assert "has not answered yet" in note("decision")
    decide(app)
    assert ahead() == "code"
    exchange()
    assert ahead() == "refresh"


def test_a_sandbox_that_cannot_be_asked_is_a_sentence(
    app: Settings, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a file that is damaged or locked: a view never fails for that."""
    exchange(decide(app))

    def fail(*_: object) -> None:
        raise RedboothError("The sandbox's file is damaged.")

    monkeypatch.setattr(Sandbox, "wrong_field", fail)
    monkeypatch.setattr(Sandbox, "revoked", fail)
    now = Snapshot()
    assert (now.gone, now.dead, now.registered) == (False, False, True)
    assert now.problems == dict.fromkeys(("register", "exchange"), "The sandbox's file is damaged.")
