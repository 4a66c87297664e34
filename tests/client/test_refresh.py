"""A new token in time, once, whoever asks; and a crash that costs a token says so."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from client.machine import CLIENT_ID, CLIENT_SECRET, ENDLESS, RESET, FaultyServer, begin_refresh, reply, unused_port

from redbooth_nb.client import wire
from redbooth_nb.client.errors import ApiError, AuthorizeAgain, StoreError, TokenEndpointError, TransportError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.private_file import part_of
from redbooth_nb.client.refresh import RedboothSession, refresh, revoke
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.sandbox import Sandbox

NEXT = {"access_token": "next-access", "token_type": "bearer", "expires_in": 7200, "refresh_token": "next-refresh"}


def unauthorized(description: str) -> bytes:
    header = f'Bearer realm="Doorkeeper", error="invalid_token", error_description="{description}"'
    return reply(401, '{"error": {"message": "Unauthorized"}}', WWW_Authenticate=header)


ME = reply(200, '{"id": 1}')
EXPIRED, REVOKED, UNKNOWN = (
    unauthorized(f"The access token {word}") for word in ("expired", "was revoked", "is invalid")
)


@pytest.fixture
def kept(app: Settings, decide: Callable[..., AuthorizationResponse]) -> Token:
    """Return a token of the sandbox, in the store."""
    return exchange(decide(app))


def load(settings: Settings) -> Token:
    token = TokenStore(settings.folder).load()
    assert token is not None
    return token


def issued(sandbox: Sandbox) -> int:
    """Count the tokens that the sandbox ever issued."""
    return sandbox._database.transact(lambda tx: len(tx.run("SELECT id FROM tokens").fetchall()))


def test_a_refresh_replaces_both_tokens_and_saves_them(app: Settings, kept: Token) -> None:
    token = refresh(app)
    assert token.access_token != kept.access_token
    assert token.refresh_token != kept.refresh_token
    assert load(app) == token
    assert not TokenStore(app.folder).interrupted()


def test_what_is_sent_is_what_the_guide_says(faulty: FaultyServer, app_at_faulty: Settings, stored: Token) -> None:
    """With the client's credentials in the body, and nothing else."""
    del stored
    faulty.answers = [reply(200, json.dumps(NEXT))]
    refresh(app_at_faulty)
    assert faulty.received[0]["fields"] == {
        "grant_type": "refresh_token",
        "refresh_token": "first-refresh",
        "client_id": app_at_faulty.client_id,
        "client_secret": app_at_faulty.client_secret.reveal(),
    }


@pytest.mark.parametrize("given", [None, "next-refresh"])
def test_the_refresh_token_is_replaced_or_kept(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, given: str | None
) -> None:
    """R28: an answer without one leaves the old one valid."""
    answer = {name: value for name, value in {**NEXT, "refresh_token": given}.items() if value}
    faulty.answers = [reply(200, json.dumps(answer))]
    token = refresh(app_at_faulty)
    assert token.refresh_token is not None
    assert stored.refresh_token is not None
    assert token.refresh_token.reveal() == (given or stored.refresh_token.reveal())
    assert load(app_at_faulty) == token


@pytest.mark.parametrize(
    "odd", [{"expires_in": "soon"}, {"expires_in": [1]}, {"expires_in": float("inf")}, {"scope": 5}, {"scope": [5]}]
)
def test_an_odd_lifetime_or_scope_costs_no_token(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, odd: dict[str, object]
) -> None:
    """The service has replaced the refresh token: the new one is kept, and what cannot be read counts as left out."""
    faulty.answers = [reply(200, json.dumps({**NEXT, **odd}))]
    token = refresh(app_at_faulty)
    assert (token.access_token.reveal(), token.scope) == ("next-access", stored.scope)
    assert token.expires_in == (None if "expires_in" in odd else 7200)
    assert load(app_at_faulty) == token


def test_whoever_comes_second_takes_what_is_there(
    app: Settings, kept: Token, token_requests: Callable[[], int]
) -> None:
    """R25: after waiting for the lock the store is read again; a newer token is adopted."""
    newer = refresh(app, replacing=kept)
    before = token_requests()
    assert refresh(app, replacing=kept) == newer
    assert token_requests() == before


def test_without_a_token_the_error_names_the_stage(app: Settings) -> None:
    for call in (lambda: refresh(app), lambda: RedboothSession(app).get("/me"), lambda: revoke(app)):
        with pytest.raises(NotYet, match="no token yet") as caught:
            call()
        assert caught.value.stage == "exchange"


def test_a_token_without_refresh_token_asks_to_authorize_again(app: Settings) -> None:
    TokenStore(app.folder).save(Token.from_response({"access_token": "x"}, app.provider.now()))
    with pytest.raises(AuthorizeAgain, match="without a refresh token"):
        refresh(app)


@pytest.mark.parametrize(("status", "code"), [(400, "invalid_grant"), (401, "invalid_grant"), (401, "invalid_request")])
def test_a_dead_refresh_token_is_named_in_both_generations(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, status: int, code: str
) -> None:
    """R29: the stored token is never deleted."""
    faulty.answers = [reply(status, json.dumps({"error": code}))]
    with pytest.raises(AuthorizeAgain, match=f"refresh: .* returned {status}: {code}") as caught:
        refresh(app_at_faulty)
    assert caught.value.stage == "authorize"
    assert load(app_at_faulty) == stored
    assert len(faulty.received) == 1


def test_a_refusal_is_not_remembered_as_a_crash(faulty: FaultyServer, app_at_faulty: Settings, stored: Token) -> None:
    """R26: only a refresh without an answer leaves the mark; "interrupted" is not said of a plain no."""
    del stored
    for code, kind in (("invalid_client", TokenEndpointError), ("invalid_grant", AuthorizeAgain)):
        faulty.answers = [reply(400, json.dumps({"error": code}))]
        for _ in range(2):
            with pytest.raises(kind) as caught:
                refresh(app_at_faulty)
            assert "interrupted" not in str(caught.value)
            assert not TokenStore(app_at_faulty.folder).interrupted()


@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        reply(500, "<h1>Oops</h1>", "text/html"),
        reply(503, '{"error": "invalid_request"}'),  # the service failed: that says nothing about the token
        reply(200, '{"access_tok'),
    ],
)
def test_a_refresh_without_a_usable_answer_keeps_the_token_and_the_mark(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, answer: bytes
) -> None:
    """R17, R26: one request; nobody knows whether the service moved on, and the next refusal says so."""
    faulty.answers = [answer]
    with pytest.raises((TransportError, TokenEndpointError), match=r"^refresh: POST"):
        refresh(app_at_faulty)
    assert len(faulty.received) == 1
    assert load(app_at_faulty) == stored
    assert TokenStore(app_at_faulty.folder).interrupted()
    faulty.answers = [reply(400, '{"error": "invalid_grant"}')]
    for _ in range(2):
        with pytest.raises(AuthorizeAgain) as caught:
            refresh(app_at_faulty)
        assert "before the new one was saved" in caught.value.why


def test_an_early_refresh_happens_in_the_last_minute_only(app: Settings, kept: Token, sandbox: Sandbox) -> None:
    """R30: 7200 seconds of life, refreshed with 60 left."""
    session = RedboothSession(app)
    sandbox.advance(7200 - 70)
    assert session.get("/me").ok
    assert load(app) == kept
    sandbox.advance(15)
    assert session.get("/me").ok
    assert load(app) != kept


@pytest.mark.parametrize("answer", [RESET, reply(503, "<h1>Later</h1>", "text/html")])
def test_a_call_goes_on_when_an_early_refresh_fails(
    faulty: FaultyServer, app_at_faulty: Settings, answer: bytes
) -> None:
    """R30: the old token lives for another ten seconds; once it has expired, the failure is told."""
    store, now = TokenStore(app_at_faulty.folder), app_at_faulty.provider.now()
    store.save(Token.from_response(NEXT, now - 7190))
    faulty.answers = [answer, ME]
    assert RedboothSession(app_at_faulty).get("/me").ok
    assert paths(faulty) == ["/oauth2/token", "/api/3/me"]
    assert store.interrupted()
    store.save(Token.from_response(NEXT, now - 7300))
    faulty.answers = [answer]
    with pytest.raises((TransportError, TokenEndpointError), match=r"^refresh: POST"):
        RedboothSession(app_at_faulty).get("/me")


def test_after_a_failed_early_refresh_an_expired_token_is_not_refreshed_again(
    faulty: FaultyServer, app_at_faulty: Settings
) -> None:
    """R31: the same refresh token is not sent twice by one call; the first failure is told."""
    TokenStore(app_at_faulty.folder).save(Token.from_response(NEXT, app_at_faulty.provider.now() - 7190))
    faulty.answers = [RESET, EXPIRED]
    with pytest.raises(TransportError, match=r"^refresh: POST"):
        RedboothSession(app_at_faulty).get("/me")
    assert paths(faulty) == ["/oauth2/token", "/api/3/me"]


def test_a_short_lived_token_is_not_refreshed_for_ever(
    app: Settings, sandbox: Sandbox, decide: Callable[..., AuthorizationResponse]
) -> None:
    """R30: a tenth of a short life, not a fixed minute."""
    sandbox.switch(token_lifetime=50)
    token = exchange(decide(app))
    session = RedboothSession(app)
    assert [session.get("/me").status_code for _ in range(3)] == [200] * 3
    assert load(app) == token
    sandbox.advance(46)
    assert session.get("/me").ok
    assert load(app) != token


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_wrong_by_a_day_makes_no_loop(
    app: Settings, kept: Token, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """R31: at most one refresh, and every call is answered."""
    real = app.provider.now
    monkeypatch.setattr(app.provider, "now", lambda: real() + days * 86_400)
    before = issued(sandbox)
    session = RedboothSession(app)
    assert [session.get("/me").status_code for _ in range(4)] == [200] * 4
    assert issued(sandbox) - before == (1 if days > 0 else 0)
    assert (load(app) == kept) == (days < 0)


def test_with_the_clock_set_back_the_401_is_what_refreshes(
    app: Settings, kept: Token, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R30, R31: the header says expired, so it is refreshed once and the call repeated."""
    real = app.provider.now
    monkeypatch.setattr(app.provider, "now", lambda: real() - 86_400)
    sandbox.advance(7300)
    assert RedboothSession(app).get("/me").ok
    assert load(app) != kept


def paths(faulty: FaultyServer) -> list[str]:
    return [asked["path"] for asked in faulty.received]


@pytest.mark.parametrize(("status", "marked"), [(400, False), (401, False), (200, True), (503, True)])
def test_only_a_plain_no_takes_the_mark_back(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, status: int, *, marked: bool
) -> None:
    """R26: with a 200 or a 5xx the service may have replaced the tokens all the same."""
    del stored
    faulty.answers = [reply(status, json.dumps({**NEXT, "error": "temporarily_unavailable"}))]
    with pytest.raises(TokenEndpointError) as caught:
        refresh(app_at_faulty)
    assert TokenStore(app_at_faulty.folder).interrupted() is marked
    assert ("may already be used up" in caught.value.remedy) is marked


def test_a_second_401_is_not_tried_again(faulty: FaultyServer, app_at_faulty: Settings, stored: Token) -> None:
    """R30: one refresh, one repetition, and then the answer as it is."""
    del stored
    faulty.answers = [EXPIRED, reply(200, json.dumps(NEXT)), EXPIRED]
    assert RedboothSession(app_at_faulty).get("/me").status_code == 401
    assert paths(faulty) == ["/api/3/me", "/oauth2/token", "/api/3/me"]


def test_one_call_never_refreshes_twice(faulty: FaultyServer, app_at_faulty: Settings) -> None:
    """R31: refreshed early, and the service still says expired: the clocks disagree, so it is left at that."""
    old = Token.from_response({**NEXT, "access_token": "old"}, app_at_faulty.provider.now() - 7190)
    TokenStore(app_at_faulty.folder).save(old)
    faulty.answers = [reply(200, json.dumps(NEXT)), EXPIRED]
    assert RedboothSession(app_at_faulty).get("/me").status_code == 401
    assert paths(faulty) == ["/oauth2/token", "/api/3/me"]


def test_a_revoked_token_asks_to_authorize_again(faulty: FaultyServer, app_at_faulty: Settings, stored: Token) -> None:
    """R30: revoked is not refreshed."""
    faulty.answers = [REVOKED]
    with pytest.raises(AuthorizeAgain, match="revoked"):
        RedboothSession(app_at_faulty).get("/me")
    assert paths(faulty) == ["/api/3/me"]
    assert load(app_at_faulty) == stored


def test_a_refresh_cut_off_is_named_by_the_next_call(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """R56: not "the user took the permission back", which is not what happened."""
    begin_refresh(TokenStore(app_at_faulty.folder), stored)
    faulty.answers = [REVOKED]
    with pytest.raises(AuthorizeAgain, match="revoked") as caught:
        RedboothSession(app_at_faulty).get("/me")
    assert "refresh was probably interrupted after the service had replaced the old token" in caught.value.why
    assert caught.value.stage == "authorize"


def test_a_newer_token_that_cannot_be_refreshed_is_used_as_long_as_it_is_good(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """Another program has replaced the revoked one, and its token has less than a minute left."""
    store = TokenStore(app_at_faulty.folder)
    newer = {"access_token": "newer-access", "token_type": "bearer", "expires_in": 3}

    def replace_token(*_: object, **__: object) -> None:
        store.save(Token.from_response(newer, app_at_faulty.provider.now() - 2.8))

    del stored
    faulty.answers = [REVOKED, ME]
    assert RedboothSession(app_at_faulty).get("/me", hooks={"response": replace_token}).ok
    assert "Bearer newer-access" in str(faulty.received[1])


LEADING_OUT = [
    "https://elsewhere.test/me", "http://redbooth.com/api/3/me", "https://redbooth.com/oauth2/token",
    "https://redbooth.com/api/3/../../oauth2/token", "/../../oauth2/token", "../../oauth2/token", "/x/./me",
    "/%2e%2e/%2e%2e/oauth2/token", "/%252e%252e/%252e%252e/oauth2/token", "/..\\..\\oauth2", "/..%5c..%5coauth2/token",
    "/..%2f..%2foauth2/token", "https://redbooth.com/api/3/https://elsewhere.test", "/me\r\nHost: elsewhere.test",
]  # fmt: skip
STAYING_INSIDE = {
    "//elsewhere.test/me": "/api/3//elsewhere.test/me", "@elsewhere.test": "/api/3/@elsewhere.test",
    ":80/me": "/api/3/:80/me", "me": "/api/3/me", "/tasks?next=https://x.test/../y": "/api/3/tasks",
    "https://redbooth.com/api/3/me": "/api/3/me", "/a..b/c...d": "/api/3/a..b/c...d",
}  # fmt: skip


@pytest.mark.parametrize("path", LEADING_OUT)
def test_no_path_leads_the_token_out_of_the_api(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, path: str
) -> None:
    del stored
    with pytest.raises(ApiError, match="is not part of"):
        RedboothSession(app_at_faulty).get(path)
    assert faulty.received == []


@pytest.mark.parametrize(("path", "asked"), STAYING_INSIDE.items())
def test_an_odd_path_stays_inside_the_api(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, path: str, asked: str
) -> None:
    del stored
    faulty.answers = [ME]
    assert RedboothSession(app_at_faulty).get(path).ok
    assert faulty.received[0]["path"].partition("?")[0] == asked


@pytest.mark.parametrize("location", ["http://[::1", f"http://{'a' * 70}.test/", "http://\xff.test/"])
def test_a_redirect_to_no_address_is_named(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, location: str
) -> None:
    """R48: requests reads Location even where it does not follow it, and raises what it likes."""
    del stored
    faulty.answers = [reply(302, "", Location=location).decode().encode("latin-1")]
    with suppress(TransportError):
        assert RedboothSession(app_at_faulty).get("/me").status_code == 302


def test_an_upload_that_was_read_is_not_repeated_empty(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """The token is refreshed, and the caller is told to open the file again; a repetition would send nothing."""
    del stored

    class ReadOnce:
        def __init__(self) -> None:
            self.parts = iter([b"content"])

        def __iter__(self) -> Iterator[bytes]:
            return self.parts

    for arguments in (
        {"data": io.BytesIO(b"content")},
        {"files": {"file": io.BytesIO(b"content")}},
        {"data": ReadOnce()},
    ):
        faulty.received.clear()
        faulty.answers = [EXPIRED, reply(200, json.dumps(NEXT)), ME]
        with pytest.raises(ApiError, match="was not repeated"):
            RedboothSession(app_at_faulty).post("/files", **arguments)
        assert paths(faulty) == ["/api/3/files", "/oauth2/token"]
    faulty.answers = [ME]
    assert RedboothSession(app_at_faulty).post("/files", data={"name": "x"}).ok


def test_an_upload_is_not_repeated_with_the_newer_token_either(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """Another program refreshed while it was on its way: the file was read to its end all the same."""
    store = TokenStore(app_at_faulty.folder)

    def replace_token(*_: object, **__: object) -> None:
        store.save(Token.from_response(NEXT, stored.obtained_at))

    for arguments in ({"data": io.BytesIO(b"content")}, {"files": {"file": io.BytesIO(b"content")}}):
        store.save(stored)
        faulty.received.clear()
        faulty.answers = [REVOKED, ME]
        with pytest.raises(ApiError, match="was not repeated"):
            RedboothSession(app_at_faulty).post("/files", **arguments, hooks={"response": replace_token})
        assert paths(faulty) == ["/api/3/files"]


@pytest.mark.parametrize("several", [False, True])
def test_hooks_of_a_call_do_not_replace_the_bounds(
    faulty: FaultyServer,
    app_at_faulty: Settings,
    stored: Token,
    monkeypatch: pytest.MonkeyPatch,
    several: bool,  # noqa: FBT001
) -> None:
    del stored
    seen: list[int] = []

    def hook(answer: Any, *_: object, **__: object) -> None:  # noqa: ANN401
        seen.append(answer.status_code)

    faulty.answers = [ME]
    session, hooks = RedboothSession(app_at_faulty), {"response": [hook, hook] if several else hook}
    assert session.get("/me", hooks=hooks).ok
    assert seen == ([200, 200] if several else [200])
    monkeypatch.setattr(wire.connect_bounded, "__defaults__", (1000, 60.0))
    faulty.answers = [reply(200, "x" * 2000)]
    with pytest.raises(TransportError, match="larger than"):
        RedboothSession(app_at_faulty).get("/me", hooks=hooks)


def test_a_streamed_answer_has_its_content(faulty: FaultyServer, app_at_faulty: Settings, stored: Token) -> None:
    del stored
    faulty.answers = [ME]
    answer = RedboothSession(app_at_faulty).get("/me", stream=True)
    assert b"".join(answer.iter_content(3)) == b'{"id": 1}'


def test_a_refresh_that_was_never_sent_leaves_no_mark(monkeypatch: pytest.MonkeyPatch, redirect_uri: str) -> None:
    """R56: nobody was reached, so no answer can be lost, and a later revocation is not blamed on it."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", f"http://127.0.0.1:{unused_port()}")
    settings = save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri)
    TokenStore(settings.folder).save(Token.from_response(NEXT, settings.provider.now()))
    with pytest.raises(TransportError, match="no connection"):
        refresh(settings)
    assert not TokenStore(settings.folder).interrupted()


def test_an_answer_of_the_api_has_a_bound(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R48: real lists fit in; an answer without end is named."""
    del stored
    faulty.answers = [reply(200, json.dumps([{"id": 1, "name": "x" * 1000}] * 3000))]
    assert len(RedboothSession(app_at_faulty).get("/tasks").json()) == 3000
    monkeypatch.setattr(wire.connect_bounded, "__defaults__", (100_000, 60.0))
    faulty.answers = [ENDLESS]
    with pytest.raises(TransportError, match=r"^GET .*/tasks returned 200 OK: the response is larger than 97 KiB"):
        RedboothSession(app_at_faulty).get("/tasks")


def test_a_secret_in_the_path_of_a_failed_call_is_hidden(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """R1: somebody may paste a token into the address."""
    faulty.answers = [b""]
    with pytest.raises(TransportError, match=r"^GET https://redbooth.com/api/3/tasks/<access token \.\.\.") as caught:
        RedboothSession(app_at_faulty).get(f"/tasks/{stored.access_token.reveal()}")
    assert stored.access_token.reveal() not in str(caught.value)


def test_a_token_that_was_replaced_elsewhere_is_taken_from_the_store(app: Settings, kept: Token) -> None:
    """R25: this session used the old one a moment too late."""
    session = RedboothSession(app)
    stale = TokenStore(app.folder).load
    newer = refresh(app)
    answers = iter([kept])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session.store, "load", lambda: next(answers, None) or stale())
        assert session.get("/me").ok
    assert load(app) == newer


def test_a_call_between_rotation_and_save_waits_for_the_new_token(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """R25: the service has replaced the token, another thread is about to save the new one: that is no revocation."""
    faulty.answers = [REVOKED, ME]
    store, holding, statuses = TokenStore(app_at_faulty.folder), threading.Event(), []
    sent = threading.Event()

    def call() -> None:
        holding.wait()
        session = RedboothSession(app_at_faulty)
        send = session._session.send

        def note(request: Any, **options: Any) -> Any:  # noqa: ANN401
            answer = send(request, **options)
            sent.set()
            return answer

        session._session.send = note  # type: ignore[method-assign]
        statuses.append(session.get("/me").status_code)

    caller = threading.Thread(target=call)
    caller.start()
    with store.lock():
        holding.set()
        assert sent.wait(10)
        caller.join(0.3)  # who does not wait for the lock has given up by then
        store.save(Token.from_response(NEXT, stored.obtained_at))
    caller.join()
    assert statuses == [200]
    assert faulty.received[-1]["headers"]["authorization"] == "Bearer next-access"


@pytest.mark.parametrize("answer", [UNKNOWN, reply(401, "{}"), reply(403, "{}"), reply(429, "Retry later")])
def test_other_refusals_are_handed_to_the_caller(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, answer: bytes
) -> None:
    """Only what the header says decides."""
    del stored
    faulty.answers = [answer]
    assert RedboothSession(app_at_faulty).get("/me").status_code == int(answer.split()[1])
    assert paths(faulty) == ["/api/3/me"]


def test_the_calls_own_arguments_never_reach_the_token_endpoint(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """R32: requests-oauthlib #264."""
    del stored
    faulty.answers = [EXPIRED, reply(200, json.dumps(NEXT)), ME]
    session = RedboothSession(app_at_faulty)
    session.post("/tasks", params={"p": "marked-p"}, json={"j": "marked-j"}, headers={"X-Own": "marked-h"})
    first, token, second = faulty.received
    assert "marked" not in str(token)
    assert token["path"] == "/oauth2/token"
    for call in (first, second):
        assert (call["path"], call["body"]) == ("/api/3/tasks?p=marked-p", '{"j": "marked-j"}')
        assert call["headers"]["x-own"] == "marked-h"
    assert second["headers"]["authorization"] == "Bearer next-access"


def test_the_new_token_is_on_disk_before_it_is_used(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27: every call goes out with the token the store holds at that moment."""
    del stored
    faulty.answers = [EXPIRED, reply(200, json.dumps(NEXT)), ME]
    seen: list[tuple[str, str]] = []
    session = RedboothSession(app_at_faulty)
    send = session._session.send

    def spy(request: Any, **options: Any) -> Any:  # noqa: ANN401
        seen.append((request.headers["Authorization"], load(app_at_faulty).access_token.reveal()))
        return send(request, **options)

    monkeypatch.setattr(session._session, "send", spy)
    session.get("/me")
    assert seen == [("Bearer first-access", "first-access"), ("Bearer next-access", "next-access")]


def fill_up_after_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full once the mark and its folder are written."""
    fsync, calls = os.fsync, iter([None, None])

    def fill_up(handle: int) -> None:
        if next(calls, "full") == "full":
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fill_up)


@pytest.mark.parametrize("code", ["invalid_client", "invalid_grant"])
def test_on_a_full_disk_a_refusal_is_still_what_is_told(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """The mark cannot be taken back then, but the service's no is what the user has to know."""
    faulty.answers = [reply(400, json.dumps({"error": code}))]
    fill_up_after_the_mark(monkeypatch)
    with pytest.raises((TokenEndpointError, AuthorizeAgain), match=code):
        refresh(app_at_faulty)
    assert load(app_at_faulty) == stored


def test_on_a_full_disk_a_refresh_that_was_never_sent_says_so(
    monkeypatch: pytest.MonkeyPatch, redirect_uri: str
) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", f"http://127.0.0.1:{unused_port()}")
    settings = save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri)
    TokenStore(settings.folder).save(Token.from_response(NEXT, settings.provider.now()))
    fill_up_after_the_mark(monkeypatch)
    with pytest.raises(TransportError, match="no connection"):
        refresh(settings)


def test_a_token_that_cannot_be_saved_is_not_used(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27: the call fails with the reason, and the mark stays."""
    faulty.answers = [EXPIRED, reply(200, json.dumps(NEXT)), ME]
    fill_up_after_the_mark(monkeypatch)
    with pytest.raises(StoreError, match="No space left"):
        RedboothSession(app_at_faulty).get("/me")
    assert paths(faulty) == ["/api/3/me", "/oauth2/token"]
    assert load(app_at_faulty) == stored
    assert TokenStore(app_at_faulty.folder).interrupted()


@pytest.mark.parametrize(
    "path", ["https://elsewhere.example/me", "http://redbooth.com/api/3/me", "https://redbooth.com.example/api/3/"]
)
def test_the_token_goes_nowhere_but_to_the_api(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, path: str
) -> None:
    del stored
    with pytest.raises(ApiError, match="is not part of") as caught:
        RedboothSession(app_at_faulty).get(f"{path}?access_token=pasted")
    assert "pasted" not in str(caught.value)
    assert faulty.received == []


@pytest.mark.parametrize("path", ["/me", "me", "https://redbooth.com/api/3/me", "/me?next=https://elsewhere.example"])
def test_a_path_may_be_written_in_each_way(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, path: str
) -> None:
    del stored
    faulty.answers = [ME]
    RedboothSession(app_at_faulty).get(path, headers=None)
    assert faulty.received[0]["path"].startswith("/api/3/me")
    assert faulty.received[0]["headers"]["authorization"] == "Bearer first-access"


def test_a_redirect_to_another_host_does_not_get_the_token(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    del stored
    with FaultyServer.running() as other:
        faulty.answers = [reply(302, "", Location=f"{other.origin}/steal")]
        assert RedboothSession(app_at_faulty).get("/me").status_code == 302
        assert other.received == []
        RedboothSession(app_at_faulty).get("/me", allow_redirects=True)
        assert "authorization" not in other.received[0]["headers"]


@pytest.mark.parametrize("location", ["http://127.0.0.1:{port}/x", "ftp://elsewhere.example/x"])
def test_a_call_that_fails_on_the_way_to_a_redirect_was_sent(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, location: str
) -> None:
    """R18: whoever believed `sent` would send the same thing twice."""
    del stored
    faulty.answers = [reply(307, "", Location=location.format(port=unused_port()))]
    with pytest.raises(TransportError) as caught:
        RedboothSession(app_at_faulty).post("/tasks", json={}, allow_redirects=True)
    assert caught.value.sent
    assert len(faulty.received) == 1


@pytest.mark.parametrize("shared", [True, False])
def test_fifty_threads_at_expiry_make_one_refresh(
    app: Settings,
    kept: Token,
    sandbox: Sandbox,
    token_requests: Callable[[], int],
    shared: bool,  # noqa: FBT001
) -> None:
    """R23: one request to the token endpoint and fifty answers, with one session or with one each."""
    sandbox.advance(7300)
    one = RedboothSession(app)
    barrier = threading.Barrier(50)
    statuses: list[int] = []
    before = token_requests()

    def call() -> None:
        session = one if shared else RedboothSession(app)
        barrier.wait()
        statuses.append(session.get("/me").status_code)

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50
    assert token_requests() - before == 1
    assert load(app) != kept


WORKER = """
import sys
from redbooth_nb.client.refresh import RedboothSession
session = RedboothSession()
print("ready", flush=True)
for _ in sys.stdin:
    print(session.get("/me").status_code, flush=True)
"""


def test_six_processes_make_one_refresh_a_round(app: Settings, kept: Token, sandbox: Sandbox) -> None:
    """R24: on one store, each with its own sandbox listener over the same file, as notebooks have it."""
    command = [sys.executable, "-c", WORKER]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(6)
    ]

    def everybody(expected: str, say: str = "") -> None:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(say)
            worker.stdin.flush()
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == expected

    try:
        everybody("ready\n")
        for _ in range(3):
            sandbox.advance(7300)
            before, old = issued(sandbox), load(app)
            everybody("200\n", "go\n")
            assert issued(sandbox) - before == 1
            assert load(app) != old
    finally:
        for worker in workers:
            worker.communicate()
    assert load(app) != kept
    assert [worker.returncode for worker in workers] == [0] * 6


DYING = """
import os, signal
from pathlib import Path
from redbooth_nb.client import refresh as refresh_module
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{}
refresh_module.refresh()
"""
BEFORE_SENDING = "refresh_module.token_session = die"
BEFORE_RENAMING = (
    "real = Path.replace\n"
    "Path.replace = lambda self, target: real(self, target) if 'refreshing' in self.read_text() else die()"
)


def die(code: str) -> None:
    child = subprocess.run([sys.executable, "-c", DYING.format(code)], check=False, capture_output=True)  # noqa: S603
    assert child.returncode == -9, child.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_crash_before_anything_was_sent_costs_nothing(app: Settings, kept: Token) -> None:
    """R26: the mark is there, the old token still counts. For every point after the answer see tests/reliability."""
    die(BEFORE_SENDING)
    assert TokenStore(app.folder).interrupted()
    assert load(app) == kept
    assert refresh(app) == load(app) != kept
    assert not TokenStore(app.folder).interrupted()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_token_that_was_written_when_the_crash_came_is_kept(app: Settings, kept: Token, sandbox: Sandbox) -> None:
    """R26: the service has moved on, the new token is in a temporary file; the next who asks takes it from there."""
    die(BEFORE_RENAMING)
    assert load(app) == kept
    assert [path.name for path in app.folder.glob(".*")] == [".token.json.part"]
    assert RedboothSession(app).get("/me").ok
    assert load(app) != kept
    assert issued(sandbox) == 2
    assert list(app.folder.glob(".*")) == []


def test_a_half_written_token_is_none(faulty: FaultyServer, app_at_faulty: Settings, stored: Token) -> None:
    """R26: what a crash left of it is cleared away by the next refresh; the loss is named."""
    store = TokenStore(app_at_faulty.folder)
    begin_refresh(store, stored)
    for half in (b"", b"{", b"[]", b'{"format": 1, "access_token": "x"}', b"\xff"):
        (left := part_of(store.path)).touch(mode=0o600)
        left.write_bytes(half)
        faulty.answers = [reply(400, '{"error": "invalid_grant"}')]
        with pytest.raises(AuthorizeAgain, match="before the new one was saved"):
            refresh(app_at_faulty)
        assert store.load() == stored
        assert not left.exists()


def test_with_the_clock_set_back_a_new_token_is_put_in_place_all_the_same(app: Settings, kept: Token) -> None:
    """R26: every write takes the temporary file away first, so a whole one is new, whatever the clock says."""
    store = TokenStore(app.folder)
    left = part_of(store.path)
    left.touch(mode=0o600)
    left.write_text(json.dumps({"format": 1, **NEXT, "obtained_at": kept.obtained_at - 86_400}))
    with store.lock():
        assert load(app).access_token.reveal() == NEXT["access_token"]
    assert not left.exists()


@pytest.mark.parametrize("answer", [EXPIRED, REVOKED])
def test_a_token_found_after_a_crash_may_have_expired_too(
    faulty: FaultyServer, app_at_faulty: Settings, answer: bytes
) -> None:
    """R26: it is refreshed like any other; the call does not end with its 401."""
    store, now = TokenStore(app_at_faulty.folder), app_at_faulty.provider.now()
    found = Token.from_response({**NEXT, "access_token": "found", "refresh_token": "found-refresh"}, now - 7300)
    store.save(found)
    store.path.rename(part_of(store.path))
    store.save(Token.from_response({**NEXT, "access_token": "old"}, now - 100))
    shutil.copy(store.path, spare := store.path.with_name("spare"))
    store.save(found)
    store.path.rename(part_of(store.path))
    spare.rename(store.path)
    faulty.answers = [answer, reply(200, json.dumps(NEXT)), ME]
    assert RedboothSession(app_at_faulty).get("/me").ok
    assert paths(faulty) == ["/api/3/me", "/oauth2/token", "/api/3/me"]
    assert "refresh_token=found-refresh" in str(faulty.received[1])
    assert store.require().access_token.reveal() == NEXT["access_token"]


def test_a_call_with_parameters_that_are_read_once_is_not_repeated(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """Repeated without them, it would get the wrong data."""
    del stored
    faulty.answers = [EXPIRED, reply(200, json.dumps(NEXT))]
    with pytest.raises(ApiError, match="the call was not repeated"):
        RedboothSession(app_at_faulty).get("/tasks", params=iter([("project_id", "5")]))


def test_a_password_never_takes_the_place_of_the_token(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    faulty.answers = [ME]
    RedboothSession(app_at_faulty).get("/me", auth=("user", "password"))
    assert f"Bearer {stored.access_token.reveal()}" in str(faulty.received)


def test_a_call_finds_a_new_token_beside_a_damaged_file(faulty: FaultyServer, app_at_faulty: Settings) -> None:
    store = TokenStore(app_at_faulty.folder)
    store.save(Token.from_response(NEXT, app_at_faulty.provider.now()))
    store.path.rename(part_of(store.path))
    store.path.touch(mode=0o600)
    faulty.answers = [ME]
    assert RedboothSession(app_at_faulty).get("/me").ok


def test_revoking_gives_the_permission_back_and_forgets_the_token(app: Settings, kept: Token, sandbox: Sandbox) -> None:
    del kept
    revoke(app)
    assert TokenStore(app.folder).load() is None
    (row,) = sandbox._database.transact(lambda tx: tx.run("SELECT revoked_at FROM tokens").fetchall())
    assert row["revoked_at"] is not None


@pytest.mark.parametrize("answer", [reply(403, "{}"), reply(302, "", Location="https://redbooth.com/login"), RESET])
def test_what_could_not_be_revoked_is_kept(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, answer: bytes
) -> None:
    """R22: the redirect is not followed either."""
    faulty.answers = [answer]
    with pytest.raises((ApiError, TransportError), match=r"POST https://redbooth.com/oauth2/revoke"):
        revoke(app_at_faulty)
    assert load(app_at_faulty) == stored
    assert len(faulty.received) == 1
