"""The code becomes a token, or an error with a name; the code is sent once, and nothing is lost from the store."""

import gc
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from client.faults import BAD_ANSWERS, GOOD, NO_ANSWERS
from client.machine import CLIENT_ID, CLIENT_SECRET, RESET, SILENT, TRICKLE, FaultyServer, reply, unused_port
from requests_oauthlib import OAuth2Session

from redbooth_nb.client import exchange as exchange_module, wire
from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import CodeAlreadySent, StoreError, TokenEndpointError, TransportError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.provider.addresses import TOKEN_URL
from redbooth_nb.provider.delivery import StandIn
from redbooth_nb.provider.sandbox import Sandbox


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the wait for a server that says nothing."""
    for module in (wire, exchange_module):
        monkeypatch.setattr(module, "TIMEOUT", (2, 2))
    monkeypatch.setattr(exchange_module, "LARGEST_TOKEN_RESPONSE", 64 * 1024)


def test_a_code_becomes_a_token_that_is_saved(app: Settings, decide: Callable[..., AuthorizationResponse]) -> None:
    token = exchange(decide(app))
    assert TokenStore(app.folder).load() == token
    assert (token.token_type, token.expires_in, token.scope) == ("bearer", 7200, "all")
    assert token.refresh_token is not None


def plain_session(response: AuthorizationResponse) -> OAuth2Session:
    """Return the library's session, as a cell makes it."""
    request = response.request
    session = OAuth2Session(request.settings.client_id, redirect_uri=request.redirect_uri, state=request.state)
    return wire.connect(session)


@pytest.mark.parametrize("how", [{}, {"nonce": True}])
def test_the_library_can_exchange_what_the_kit_read(
    app: Settings, sandbox: Sandbox, decide: Callable[..., AuthorizationResponse], how: dict[str, bool]
) -> None:
    """Also where the service lost `state` and the nonce took its place. The kit knows that the code is used up."""
    sandbox.switch(state="dropped" if how else "echoed")
    response = decide(app, **how)
    assert (response.state is None) == bool(how)
    credentials = {"include_client_id": True, "client_secret": app.client_secret.reveal()}
    answer = plain_session(response).fetch_token(TOKEN_URL, authorization_response=response.use(), **credentials)
    assert Token.from_response(answer, 0).refresh_token is not None
    with pytest.raises(CodeAlreadySent):
        response.use()
    with pytest.raises(NotYet):
        AuthorizationResponse.last()


def test_a_denial_cannot_be_used(app: Settings, decide: Callable[..., AuthorizationResponse]) -> None:
    with pytest.raises(NotYet, match="no code to exchange"):
        decide(app, answer="deny").use()


def test_without_being_told_it_takes_the_last_answer(
    app: Settings, decide: Callable[..., AuthorizationResponse]
) -> None:
    decide(app)
    token = exchange()
    assert TokenStore(app.folder).load() == token


def test_pkce_nonce_and_all(app: Settings, decide: Callable[..., AuthorizationResponse]) -> None:
    """The sandbox checks the verifier and the redirect URI as the engine does."""
    assert exchange(decide(app, pkce=True, nonce=True)).refresh_token is not None


def test_a_lost_state_with_a_nonce_is_exchanged_too(
    app: Settings, sandbox: Sandbox, decide: Callable[..., AuthorizationResponse]
) -> None:
    sandbox.switch(state="dropped")
    answer = decide(app, nonce=True)
    assert answer.state is None
    assert exchange(answer).refresh_token is not None


def test_what_is_sent_is_what_the_guide_says(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    """R18: also, the redirect URI is the one of the authorize request, byte for byte."""
    faulty.answers = [reply(200, json.dumps(GOOD))]
    exchange(allowed)
    (asked,) = faulty.received
    verifier = allowed.request.code_verifier
    assert verifier is not None
    assert (asked["method"], asked["path"]) == ("POST", "/oauth2/token")
    assert asked["fields"] == {
        "grant_type": "authorization_code",
        "code": "code-of-the-user",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": allowed.request.redirect_uri,
        "code_verifier": verifier.reveal(),
    }
    assert "authorization" not in asked["headers"]


@pytest.mark.parametrize("query", ["", "?tenant=a%20b&x=%C3%A9", "?b=2&a=1&empty="])
def test_the_redirect_uri_is_repeated_byte_for_byte(faulty: FaultyServer, app_at_faulty: Settings, query: str) -> None:
    """R18: no reordering, no other encoding, nonce included."""
    faulty.answers = [reply(200, json.dumps(GOOD))]
    settings = Settings(**{**vars(app_at_faulty), "redirect_uri": app_at_faulty.redirect_uri + query})
    request = AuthorizationRequest.new(settings, nonce=True)
    joint = "&" if "?" in request.redirect_uri else "?"
    address = f"{request.redirect_uri}{joint}{urlencode({'code': 'x', 'state': request.state})}"
    exchange(AuthorizationResponse.read(address, request))
    assert faulty.received[0]["fields"]["redirect_uri"] == request.redirect_uri == request.parameters["redirect_uri"]


@pytest.mark.parametrize(("answer", "said"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_a_bad_answer_is_named_with_status_and_leg(
    faulty: FaultyServer, allowed: AuthorizationResponse, stored: Token, answer: bytes, said: str
) -> None:
    """R19: never "missing token"; one request, and what was stored stays. On a refresh: tests/reliability."""
    faulty.answers = [answer]
    with pytest.raises(TokenEndpointError) as caught:
        exchange(allowed)
    words = " ".join(str(caught.value).split())
    assert words.startswith("exchange: POST https://redbooth.com/oauth2/token returned ")
    assert caught.value.status == int(answer.split()[1])
    assert said_by(said, words)
    assert "missing" not in words.split("Why:")[0].lower()
    assert_sent_once_and_nothing_lost(faulty, allowed, stored)


def said_by(pattern: str, words: str) -> bool:
    return re.search(pattern, words) is not None


def assert_sent_once_and_nothing_lost(faulty: FaultyServer, allowed: AuthorizationResponse, stored: Token) -> None:
    assert [asked["path"] for asked in faulty.received] == ["/oauth2/token"]
    assert TokenStore(allowed.request.settings.folder).load() == stored
    with pytest.raises(NotYet):  # the code may be spent: it is not offered again
        AuthorizationResponse.last(allowed.request.settings)


@pytest.mark.parametrize(("answer", "said"), NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_no_answer_is_named_with_its_leg_and_never_tried_again(  # noqa: PLR0913, PLR0917  (fixtures and the case)
    faulty: FaultyServer,
    allowed: AuthorizationResponse,
    stored: Token,
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes,
    said: str,
) -> None:
    """R17, R22: one request, whose fate is unknown; the words say that the code may be used up."""
    faulty.answers = [answer]
    if answer == TRICKLE:
        monkeypatch.setattr(exchange_module, "SLOWEST_TOKEN_RESPONSE", 0.3)
    with pytest.raises(TransportError) as caught:
        exchange(allowed)
    words = str(caught.value)
    assert words.startswith("exchange: POST https://redbooth.com/oauth2/token")
    assert said_by(said, words)
    assert "exchange() itself never sends a code twice" in words
    assert_sent_once_and_nothing_lost(faulty, allowed, stored)


def test_a_code_is_sent_once_whoever_asks_again(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    """R17: the same cell run twice, a newer request in between, another process: the second time nothing is sent."""
    faulty.answers = [reply(200, json.dumps(GOOD))]
    token = exchange(allowed)
    with pytest.raises(CodeAlreadySent, match="already been sent"):
        exchange(allowed)
    AuthorizationRequest.new(allowed.request.settings)
    with pytest.raises(CodeAlreadySent, match="already been sent"):
        exchange(allowed)
    assert len(faulty.received) == 1
    assert TokenStore(allowed.request.settings.folder).load() == token


def test_another_process_does_not_send_the_code_again(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    """R17: the file says so, also after a newer request; it holds no code, only its fingerprint."""
    faulty.answers = [reply(200, json.dumps(GOOD))]
    exchange(allowed)
    AuthorizationRequest.new(allowed.request.settings)
    script = (
        "from redbooth_nb.client.authorize import PendingAuthorization as P\n"
        "from redbooth_nb.client.register import Settings; from redbooth_nb.secret import Secret\n"
        "p = P(Settings.load()); p.mark_code_sent(p.request(), Secret('authorization code', 'code-of-the-user'))"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
    assert "already been sent" in child.stderr
    assert "code-of-the-user" not in (allowed.request.settings.folder / "authorization.json").read_text()


def test_a_code_is_not_sent_again_for_the_next_request(faulty: FaultyServer, app_at_faulty: Settings) -> None:
    """R17: without state the same callback URL could be read again, as the answer to a newer request."""
    faulty.answers = [reply(200, json.dumps(GOOD))]
    for attempt in (1, 2):
        request = AuthorizationRequest.new(app_at_faulty)
        address = f"{request.redirect_uri}?code=the-one-code"
        answer = AuthorizationResponse.read(address, request, accept_missing_state=True)
        if attempt == 1:
            exchange(answer)
    with pytest.raises(CodeAlreadySent):
        exchange(answer)
    assert len(faulty.received) == 1


def test_a_token_that_was_written_when_the_crash_came_is_used(
    faulty: FaultyServer, allowed: AuthorizationResponse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is used up, and the token is whole in a temporary file: the next call takes it from there."""
    faulty.answers = [reply(200, json.dumps(GOOD)), reply(200, "{}")]
    rename = Path.replace

    def crash(self: Path, target: Path) -> Path:
        if target.name == "token.json":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            exchange(allowed)
    assert TokenStore(allowed.request.settings.folder).load() is None
    RedboothSession(allowed.request.settings).get("/me")
    assert faulty.received[-1]["headers"]["authorization"] == "Bearer new-access"


def test_a_code_whose_mark_was_forgotten_can_be_unmarked(allowed: AuthorizationResponse) -> None:
    """Only the last codes are remembered, and a damaged record remembers none."""
    assert allowed.code is not None
    pending = PendingAuthorization(allowed.request.settings)
    pending.unmark_code_sent(allowed.request, allowed.code, allowed.callback_url)
    assert pending.load()["sent_codes"] == []


def test_a_code_that_was_never_sent_can_be_sent_later(
    monkeypatch: pytest.MonkeyPatch, redirect_uri: str, faulty: FaultyServer
) -> None:
    """Nobody was reached, and the error says: try again. In the same kernel, or in the next."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", f"http://127.0.0.1:{unused_port()}")
    settings = save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri)
    request = AuthorizationRequest.new(settings)
    answer = AuthorizationResponse.read(f"{redirect_uri}?code=x&state={request.state}", request)
    with pytest.raises(TransportError, match="no connection") as caught:
        exchange(answer)
    assert not caught.value.sent
    assert AuthorizationResponse.last(settings).code == answer.code
    faulty.answers = [reply(200, json.dumps(GOOD))]
    with monkeypatch.context() as patch:
        patch.setattr(settings.provider, "deliver", StandIn(faulty.origin).deliver)
        assert exchange(answer).access_token.reveal() == "new-access"
    with pytest.raises(CodeAlreadySent):
        exchange(answer)


def test_an_answer_goes_to_the_provider_it_came_from(
    faulty: FaultyServer, allowed: AuthorizationResponse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting changed in between: the code and the secret still go where they belong."""
    faulty.answers = [reply(200, json.dumps(GOOD))]
    with FaultyServer.running() as other:
        monkeypatch.setenv("REDBOOTH_PROVIDER", other.origin)
        exchange(allowed)
        assert other.received == []
    assert len(faulty.received) == 1


def test_a_refused_connection_is_named(monkeypatch: pytest.MonkeyPatch, redirect_uri: str) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", f"http://127.0.0.1:{unused_port()}")
    request = AuthorizationRequest.new(save_credentials(CLIENT_ID, CLIENT_SECRET, redirect_uri))
    answer = AuthorizationResponse.read(f"{redirect_uri}?code=x&state={request.state}", request)
    with pytest.raises(TransportError, match=r"exchange: POST .*no connection"):
        exchange(answer)


@pytest.mark.parametrize(
    ("status", "code", "shape"),
    list(itertools.product([400, 401], ["invalid_grant", "invalid_request", "invalid_client"], ["text", "object"])),
)
def test_both_generations_of_the_service_are_understood(  # noqa: PLR0913, PLR0917  (fixtures and the case)
    faulty: FaultyServer, allowed: AuthorizationResponse, stored: Token, status: int, code: str, shape: str
) -> None:
    """400 or 401, `error` as text or as an object: the same words."""
    body: dict[str, Any] = {"error": code, "error_description": "As it was said."}
    if shape == "object":
        body = {"error": {"message": code}, "error_description": "As it was said."}
    faulty.answers = [reply(status, json.dumps(body))]
    with pytest.raises(TokenEndpointError, match=f"{status} .*: {code}") as caught:
        exchange(allowed)
    error = caught.value
    assert (error.status, error.error) == (status, code)
    assert error.why
    assert error.remedy
    assert_sent_once_and_nothing_lost(faulty, allowed, stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_type": "Bearer"},
        {"token_type": "BEARER", "created_at": 1_424_000_000},
        {"created_at": "yesterday"},
        {"expires_in": "7200"},
        {"expires_in": 7200.0},
        {"scope": "all"},
        {"scope": ["all"]},
        {"scope": None},
        {"something": {"else": [1]}},
        {"error": None},
        {"refresh_token": ""},
        {"token_type": None},
    ],
)
def test_both_generations_of_good_answers_are_taken(
    faulty: FaultyServer, allowed: AuthorizationResponse, changes: dict[str, object]
) -> None:
    faulty.answers = [reply(200, json.dumps({**GOOD, **changes}))]
    token = exchange(allowed)
    assert (token.access_token.reveal(), token.expires_in) == ("new-access", 7200)
    assert TokenStore(allowed.request.settings.folder).load() == token


@pytest.mark.parametrize(
    "changes", [{"error": "odd"}, {"error": ["odd"]}, {"error": 1}] + [{"token_type": odd} for odd in (0, [])]
)
def test_what_is_odd_is_named_and_never_a_token(
    faulty: FaultyServer, allowed: AuthorizationResponse, changes: dict[str, object]
) -> None:
    faulty.answers = [reply(200, json.dumps({**GOOD, **changes}))]
    with pytest.raises(TokenEndpointError) as caught:
        exchange(allowed)
    assert "exchange() itself never sends a code twice" in caught.value.remedy


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # urllib3 forgets to close the socket
def test_after_an_answer_with_an_odd_header_the_code_counts_as_sent(
    faulty: FaultyServer, allowed: AuthorizationResponse
) -> None:
    """R17: the header is the answer's, so the request was sent."""
    faulty.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n{}"]
    with pytest.raises((TransportError, TokenEndpointError)) as caught:
        exchange(allowed)
    assert getattr(caught.value, "sent", True)
    gc.collect()  # in this test, and not in another
    with pytest.raises(CodeAlreadySent):
        exchange(allowed)
    assert len(faulty.received) == 1


@pytest.mark.parametrize("error", [False, 0, [], {}, None, ""])
def test_no_error_in_so_many_words_is_none(faulty: FaultyServer, allowed: AuthorizationResponse, error: object) -> None:
    faulty.answers = [reply(200, json.dumps({**GOOD, "error": error}))]
    assert exchange(allowed).access_token.reveal() == GOOD["access_token"]


def test_a_token_without_a_type_is_taken_even_where_oauthlib_is_told_to_want_one(
    faulty: FaultyServer, allowed: AuthorizationResponse
) -> None:
    faulty.answers = [reply(200, json.dumps({name: GOOD[name] for name in ("access_token", "refresh_token")}))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OAUTHLIB_STRICT_TOKEN_TYPE", "1")
        token = exchange(allowed)
    assert (token.access_token.reveal(), token.token_type) == ("new-access", "bearer")


def test_good_json_under_a_wrong_content_type_is_taken(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    """The content decides; some proxies relabel it."""
    faulty.answers = [reply(200, json.dumps(GOOD), "text/html; charset=nonsense")]
    assert exchange(allowed).access_token.reveal() == "new-access"


def test_another_scope_than_asked_is_kept_and_shown(faulty: FaultyServer, app_at_faulty: Settings) -> None:
    """R20: the code is spent, so the token must not be thrown away; its scope says what was granted."""
    faulty.answers = [reply(200, json.dumps({**GOOD, "scope": "read"}))]
    request = AuthorizationRequest.new(app_at_faulty, scope="all")
    address = f"{request.redirect_uri}?code=x&state={request.state}"
    token = exchange(AuthorizationResponse.read(address, request))
    assert "scope='read'" in repr(token)
    assert TokenStore(app_at_faulty.folder).load() == token


def test_an_answer_without_a_code_is_not_sent(
    app: Settings, decide: Callable[..., AuthorizationResponse], token_requests: Callable[[], int]
) -> None:
    with pytest.raises(NotYet, match="no code to exchange"):
        exchange(decide(app, answer="deny"))
    assert token_requests() == 0


def test_a_refusal_leaves_the_token_of_before(
    app: Settings, decide: Callable[..., AuthorizationResponse], sandbox: Sandbox
) -> None:
    token = exchange(decide(app))
    answer = decide(app)
    sandbox.advance(601)
    with pytest.raises(TokenEndpointError, match="invalid_grant") as caught:
        exchange(answer)
    assert TokenStore(app.folder).load() == token
    assert "exchange() itself never sends a code twice" in caught.value.remedy


def test_where_the_token_cannot_be_kept_the_code_is_not_spent(
    faulty: FaultyServer, allowed: AuthorizationResponse, stored: Token
) -> None:
    """R37: the store is looked at before the code is sent, not when it is too late."""
    path = TokenStore(allowed.request.settings.folder).path
    path.chmod(0o644)
    with pytest.raises(StoreError, match="can be read by others"):
        exchange(allowed)
    assert faulty.received == []
    assert AuthorizationResponse.last(allowed.request.settings).code == allowed.code
    path.chmod(0o600)
    assert TokenStore(allowed.request.settings.folder).load() == stored


def test_every_request_has_time_limits(
    app: Settings, decide: Callable[..., AuthorizationResponse], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21: to connect and to answer."""
    seen: list[object] = []
    send = wire.requests.Session.send

    def spy(self: Any, request: Any, **options: Any) -> Any:  # noqa: ANN401
        seen.append((options["timeout"], options["verify"] is not False))
        return send(self, request, **options)

    answer = decide(app)
    monkeypatch.setattr(wire.requests.Session, "send", spy)
    exchange(answer)
    assert seen == [((2, 2), True)]


def test_an_error_of_the_exchange_stands_alone(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    """R38: no chain to the libraries' errors, which hold the request."""
    faulty.answers = [RESET]
    with pytest.raises(RedboothError) as caught:
        exchange(allowed)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_pending_record_forgets_the_code_once_sent(faulty: FaultyServer, allowed: AuthorizationResponse) -> None:
    faulty.answers = [SILENT]
    with pytest.raises(TransportError):
        exchange(allowed)
    assert "code-of-the-user" not in json.dumps(PendingAuthorization(allowed.request.settings).load())
