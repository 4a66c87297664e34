"""The way back: what a callback URL says, and whose answer it is. In all of these a request sent is a failure."""

import ast
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings as hypothesis_settings, strategies as st
from oauthlib.oauth2 import WebApplicationClient

import redbooth_nb
from redbooth_nb.client import authorize, response
from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import CallbackError, StateError, TokenEndpointError
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.errors import NotYet, RedboothError

quick = hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def url(request: AuthorizationRequest, *pairs: tuple[str, str], fragment: bool = False, **fields: str) -> str:
    joint = "#" if fragment else "&" if "?" in request.redirect_uri else "?"
    return request.redirect_uri + joint + urlencode([*pairs, *fields.items()])


def test_allow_brings_a_code(sent: AuthorizationRequest) -> None:
    answer = AuthorizationResponse.read(url(sent, code="the-code", state=sent.state), sent)
    assert answer.outcome == "allowed"
    assert answer.code is not None
    assert answer.code.reveal() == "the-code"
    assert answer.state_check == "the value that was sent"
    assert "the-code" not in answer.describe()


def test_deny_is_an_outcome_and_no_error(sent: AuthorizationRequest) -> None:
    answer = AuthorizationResponse.read(url(sent, error="access_denied", state=sent.state), sent)
    assert (answer.outcome, answer.code) == ("denied", None)
    assert "Deny" in answer.describe()


@pytest.mark.parametrize("error", ["server_error", "invalid_scope", "never_heard_of"])
def test_other_errors_are_failures_with_an_explanation(sent: AuthorizationRequest, error: str) -> None:
    answer = AuthorizationResponse.read(url(sent, error=error, error_description="So it is.", state=sent.state), sent)
    assert answer.outcome == "failed"
    assert error in answer.describe()
    assert "So it is." in answer.describe()
    assert "What to do" in answer.describe()


def test_the_implicit_answer_stands_in_the_fragment(settings: Settings) -> None:
    request = AuthorizationRequest.new(settings, response_type="token")
    fields = {"access_token": "implicit-one", "token_type": "bearer", "expires_in": "7200", "state": request.state}
    answer = AuthorizationResponse.read(url(request, fragment=True, **fields), request)
    assert answer.token is not None
    assert (answer.token.access_token.reveal(), answer.token.expires_in) == ("implicit-one", 7200)
    assert "implicit-one" not in (settings.folder / "authorization.json").read_text()  # nothing would delete it
    with pytest.raises(NotYet):
        AuthorizationResponse.last(settings)


@pytest.mark.parametrize("kind", ["token", "code"])
def test_no_token_in_an_odd_answer_is_kept_on_disk(settings: Settings, kind: str) -> None:
    request = AuthorizationRequest.new(settings, response_type=kind)
    odd = {"error": "x"} if kind == "token" else {"code": "the-code"}
    fields = {"access_token": "implicit-one", "state": request.state} | odd
    AuthorizationResponse.read(url(request, fragment=kind == "token", **fields), request)
    assert "implicit-one" not in (settings.folder / "authorization.json").read_text()


def test_a_code_is_no_answer_to_a_request_for_a_token(settings: Settings) -> None:
    """`exchange` could not use it: oauthlib looks for the code and state of a request for a code."""
    request = AuthorizationRequest.new(settings, response_type="token")
    for fragment in (True, False):
        with pytest.raises(CallbackError, match="neither a code nor an error"):
            AuthorizationResponse.read(url(request, fragment=fragment, code="the-code", state=request.state), request)
    assert_open(request)


def test_an_implicit_answer_that_is_no_token_leaves_the_request_open(settings: Settings) -> None:
    request = AuthorizationRequest.new(settings, response_type="token")
    fields = {"access_token": "implicit-one", "token_type": "mac", "state": request.state}
    with pytest.raises(TokenEndpointError):
        AuthorizationResponse.read(url(request, fragment=True, **fields), request)
    assert_open(request)


def assert_open(request: AuthorizationRequest) -> None:
    """Prove that the slot was not consumed: the right answer is still taken."""
    assert not PendingAuthorization(request.settings).load()["answered"]
    answer = AuthorizationResponse.read(url(request, error="access_denied", state=request.state), request)
    assert answer.outcome == "denied"


@contextmanager
def refused(problem: str, match: str | None = None) -> Iterator[None]:
    """Expect that `state` is not accepted, for this reason."""
    with pytest.raises(StateError, match=match) as caught:
        yield
    assert caught.value.problem == problem


WRONG_STATES: list[tuple[str, Callable[[str], list[tuple[str, str]]]]] = [
    ("mismatch", lambda state: [("state", state[:-1])]),
    ("mismatch", lambda state: [("state", state + "x")]),
    ("mismatch", lambda state: [("state", state.swapcase())]),
    ("mismatch", lambda _: [("state", "\ud7ff\U0001f511")]),
    ("empty", lambda _: [("state", "")]),
    ("missing", lambda _: []),
]


@pytest.mark.parametrize(("problem", "made"), WRONG_STATES)
def test_a_wrong_state_has_a_name_and_leaves_the_request_open(
    sent: AuthorizationRequest, problem: str, made: Callable[[str], list[tuple[str, str]]]
) -> None:
    """R3: each wrong `state` is its own error, and nothing is sent."""
    with refused(problem):
        AuthorizationResponse.read(url(sent, *made(sent.state), code="the-code"), sent)
    assert_open(sent)


def test_the_state_of_an_earlier_request_is_stale(settings: Settings) -> None:
    """R3: told apart from a mismatch, in whichever request's name it is read."""
    first, second = AuthorizationRequest.new(settings), AuthorizationRequest.new(settings)
    for request, problem in ((first, "superseded"), (second, "stale")):
        with refused(problem):
            AuthorizationResponse.read(url(first, code="the-code", state=first.state), request)
    assert_open(second)


@pytest.mark.parametrize("name", ["state", "code", "error", "error_description", "access_token", "scope"])
@pytest.mark.parametrize("same", [True, False])
def test_a_known_parameter_twice_is_refused(sent: AuthorizationRequest, name: str, same: bool) -> None:  # noqa: FBT001
    """R3, R4: even where both say the same."""
    fields = {"state": sent.state, "code": "the-code", name: sent.state if name == "state" else "one"}
    again = fields[name] if same else "another"
    with pytest.raises(CallbackError, match=f"{name} more than once"):
        AuthorizationResponse.read(url(sent, *fields.items(), (name, again)), sent)
    assert_open(sent)


def test_a_parameter_in_query_and_fragment_counts_twice(settings: Settings) -> None:
    """R4: in an implicit answer one half cannot shadow the other."""
    request = AuthorizationRequest.new(settings, response_type="token")
    address = url(request, state=request.state) + "#" + urlencode({"access_token": "one", "state": request.state})
    with pytest.raises(CallbackError, match="state more than once"):
        AuthorizationResponse.read(address, request)
    assert_open(request)


def test_a_code_in_the_fragment_is_no_answer(sent: AuthorizationRequest) -> None:
    """RFC 6749 section 4.1.2: a code comes in the query; oauthlib would not find this one, after it was spent."""
    with pytest.raises(CallbackError, match=r"neither a code nor an error|contains no state"):
        AuthorizationResponse.read(url(sent, fragment=True, code="the-code", state=sent.state), sent)
    assert_open(sent)


def test_unknown_parameters_are_ignored_even_twice(sent: AuthorizationRequest) -> None:
    """R4."""
    pairs = [("session", "1"), ("session", "2"), ("utm", "x")]
    answer = AuthorizationResponse.read(url(sent, *pairs, code="the-code", state=sent.state), sent)
    assert answer.outcome == "allowed"


@pytest.mark.parametrize("order", [("error", "code"), ("code", "error")])
def test_an_error_wins_over_a_code(sent: AuthorizationRequest, order: tuple[str, str]) -> None:
    """R4: whichever stands first."""
    answer = AuthorizationResponse.read(url(sent, *((name, "access_denied") for name in order), state=sent.state), sent)
    assert (answer.outcome, answer.code) == ("denied", None)


def test_a_token_is_no_answer_to_a_request_for_a_code(sent: AuthorizationRequest) -> None:
    """Somebody else's token, put into the query, would work in their account."""
    with pytest.raises(CallbackError, match="neither a code nor an error"):
        AuthorizationResponse.read(url(sent, access_token="theirs", state=sent.state), sent)


@pytest.mark.parametrize(
    ("registered", "shown"),
    [("http://127.0.0.1:80/x", "http://127.0.0.1/x"), ("https://a.test/x", "https://a.test:443/x")],
)
def test_the_port_of_the_scheme_may_be_left_out(settings: Settings, registered: str, shown: str) -> None:
    request = AuthorizationRequest.new(replace(settings, redirect_uri=registered))
    assert AuthorizationResponse.read(f"{shown}?code=x&state={request.state}", request).code is not None


def test_an_answer_counts_once(sent: AuthorizationRequest) -> None:
    """R5: the same callback URL again fails here, before anything is sent; a denial can't follow either."""
    address = url(sent, code="the-code", state=sent.state)
    AuthorizationResponse.read(address, sent)
    for again in (address, url(sent, error="access_denied", state=sent.state), url(sent, code="other")):
        with refused("used", match="already been answered"):
            AuthorizationResponse.read(again, sent)


def test_an_answer_counts_once_also_after_a_restart(sent: AuthorizationRequest) -> None:
    """R5: the mark is on disk, not in the object."""
    address = url(sent, code="the-code", state=sent.state)
    AuthorizationResponse.read(address, sent)
    with refused("used"):
        AuthorizationResponse.read(address, PendingAuthorization(Settings.load()).request())


def test_absent_state_with_the_nonce_is_accepted_and_explained(settings: Settings) -> None:
    """R3: the random part of the redirect URI came back, which proves the same."""
    request = AuthorizationRequest.new(settings, nonce=True)
    answer = AuthorizationResponse.read(url(request, code="the-code"), request)
    assert "absent" in answer.describe()
    assert "redirect URI" in answer.describe()


@pytest.mark.parametrize("nonce", ["", "wrong"])
def test_absent_state_with_a_wrong_nonce_is_refused(settings: Settings, nonce: str) -> None:
    """R3."""
    request = AuthorizationRequest.new(settings, nonce=True)
    with refused("nonce_missing", match="neither state nor the random part"):
        AuthorizationResponse.read(f"{settings.redirect_uri}?attempt={nonce}&code=the-code", request)
    assert_open(request)


def test_the_nonce_does_not_excuse_a_wrong_state(settings: Settings) -> None:
    """R3: wrong is always refused."""
    request = AuthorizationRequest.new(settings, nonce=True)
    with refused("mismatch"):
        AuthorizationResponse.read(url(request, code="the-code", state="wrong"), request)


def test_an_empty_nonce_proves_nothing(sent: AuthorizationRequest) -> None:
    """R3: a request without a nonce is not proven by `attempt=`."""
    with refused("missing"):
        AuthorizationResponse.read(url(sent, attempt="", code="the-code"), sent)


def test_the_nonce_twice_is_refused(settings: Settings) -> None:
    request = AuthorizationRequest.new(settings, nonce=True)
    with pytest.raises(CallbackError, match="attempt more than once"):
        AuthorizationResponse.read(url(request, code="the-code", attempt="x"), request)


def test_absent_state_is_accepted_when_the_user_says_so(sent: AuthorizationRequest) -> None:
    """R3: in so many words; and a wrong state is still refused."""
    with refused("mismatch"):
        AuthorizationResponse.read(url(sent, code="the-code", state="wrong"), sent, accept_missing_state=True)
    answer = AuthorizationResponse.read(url(sent, code="the-code"), sent, accept_missing_state=True)
    assert "because you said so" in answer.describe()
    assert AuthorizationResponse.last(sent.settings).describe() == answer.describe()


def changed(address: str, **parts: str) -> str:
    return urlsplit(address)._replace(**parts).geturl()


@pytest.mark.parametrize(
    "parts",
    [
        {"scheme": "https"},
        {"netloc": "127.0.0.1"},
        {"netloc": "127.0.0.1:1"},
        {"netloc": "localhost.example:80"},
        {"path": "/callback/"},
        {"path": "/"},
        {"path": "/CALLBACK"},
    ],
)
def test_an_address_that_is_not_the_redirect_uri_is_refused(sent: AuthorizationRequest, parts: dict[str, str]) -> None:
    with pytest.raises(CallbackError, match="does not begin with your redirect URI"):
        AuthorizationResponse.read(changed(url(sent, code="the-code", state=sent.state), **parts), sent)
    assert_open(sent)


def test_a_redirect_uri_without_a_path_comes_back_with_a_slash(settings: Settings) -> None:
    """Browsers write http://127.0.0.1:9000 as http://127.0.0.1:9000/ (RFC 3986 section 6.2.3)."""
    bare = Settings(**{**vars(settings), "redirect_uri": settings.redirect_uri.removesuffix("/callback")})
    request = AuthorizationRequest.new(bare)
    address = f"{bare.redirect_uri}/?" + urlencode({"code": "the-code", "state": request.state})
    assert AuthorizationResponse.read(address, request).outcome == "allowed"


@pytest.mark.parametrize("wrapped", ["  {}", "{}\n", "\t{}\r\n", "{}"])
def test_a_pasted_address_may_stand_between_spaces_and_reaches_oauthlib_clean(
    sent: AuthorizationRequest, wrapped: str
) -> None:
    """What is pasted by hand is exchanged like what the listener took."""
    address = url(sent, code="the-code", state=sent.state)
    answer = AuthorizationResponse.read(wrapped.format(address), sent)
    assert answer.url_for_oauthlib == "https" + address.removeprefix("http")


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "com.example.app:callback", "com.example.app://callback"])
def test_an_address_with_a_scheme_of_the_apps_own_is_one_that_oauthlib_reads(settings: Settings, uri: str) -> None:
    """RFC 8252 section 7.1. Python 3.13 would write the second one as https:callback."""
    request = AuthorizationRequest.new(Settings(**{**vars(settings), "redirect_uri": uri}))
    address = uri + "?" + urlencode({"code": "the-code", "state": request.state})
    read = AuthorizationResponse.read(address, request).url_for_oauthlib
    found = WebApplicationClient("id").parse_request_uri_response(read, state=request.state)
    assert found["code"] == "the-code"


def test_a_scheme_in_capitals_reaches_oauthlib_clean(sent: AuthorizationRequest) -> None:
    address = url(sent, code="the-code", state=sent.state)
    answer = AuthorizationResponse.read("HTTP" + address.removeprefix("http"), sent)
    assert answer.url_for_oauthlib == "https" + address.removeprefix("http")


def test_the_last_answer_is_found_again_until_it_is_spent(sent: AuthorizationRequest) -> None:
    read = AuthorizationResponse.read(url(sent, code="the-code", state=sent.state), sent)
    again = AuthorizationResponse.last()
    assert (again.code, again.state, again.callback_url) == (read.code, read.state, read.callback_url)
    assert read.code is not None
    PendingAuthorization(sent.settings).mark_code_sent(sent, read.code)
    with pytest.raises(NotYet, match="no fresh answer"):
        AuthorizationResponse.last()


def test_an_answer_older_than_a_code_lives_is_not_offered(
    sent: AuthorizationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    AuthorizationResponse.read(url(sent, code="the-code", state=sent.state), sent)
    later = sent.settings.provider.now() + response.CODE_LIFETIME + 1
    monkeypatch.setattr(type(sent.settings.provider), "now", lambda _: later)
    with pytest.raises(NotYet, match="no fresh answer"):
        AuthorizationResponse.last()


def test_before_the_answer_there_is_no_last_one(sent: AuthorizationRequest) -> None:
    with pytest.raises(NotYet, match="no fresh answer"):
        AuthorizationResponse.last(sent.settings)


PIECES = st.sampled_from(
    [
        "code=",
        "state=",
        "error=",
        "&",
        "?",
        "#",
        "%",
        "%00",
        "%zz",
        "%ff%fe",
        "://",
        "[",
        "]",
        "@",
        ":",
        ";",
        "attempt=",
    ]
)
JUNK = st.one_of(
    st.text(max_size=400),
    st.binary(max_size=400).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.binary(max_size=400).map(lambda raw: raw.decode("latin-1")),
    st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=60).map("".join),
    st.tuples(st.text(min_size=1, max_size=20), st.integers(1, 6000)).map(lambda both: both[0] * both[1]),
)


@quick
@given(
    JUNK,
    st.sampled_from(["", "http://", "{redirect_uri}", "{redirect_uri}?", "{redirect_uri}?state=", "{redirect_uri}#"]),
)
@example("", "")
@example("&" * 65_536, "{redirect_uri}?")
@example("a" * 70_000, "{redirect_uri}?code=")
@example("//[::1", "http:")
@example("\ud800", "{redirect_uri}?code=")
def test_any_text_raises_only_our_errors_and_consumes_nothing(
    sent: AuthorizationRequest, junk: str, before: str
) -> None:
    """R8: random text, percent-junk and non-UTF-8 up to 64 KB."""
    text = before.format(redirect_uri=sent.redirect_uri) + junk
    with pytest.raises(RedboothError) as caught:
        AuthorizationResponse.read(text[: 70 * 1024], sent)
    assert isinstance(caught.value, CallbackError)
    assert not PendingAuthorization(sent.settings).load()["answered"]


@quick
@given(st.dictionaries(st.text(max_size=30), st.text(max_size=60), max_size=8), st.text(min_size=1, max_size=200))
def test_any_code_beside_the_right_state_arrives_as_it_was_sent(
    settings: Settings, others: dict[str, str], code: str
) -> None:
    """R8, the other half: what is a valid answer is never refused, and the code is not altered."""
    request = AuthorizationRequest.new(settings)
    clear = {name: value for name, value in others.items() if name not in response.ANSWER_PARAMETERS}
    answer = AuthorizationResponse.read(url(request, *clear.items(), code=code, state=request.state), request)
    assert answer.code is not None
    assert answer.code.reveal() == code
    assert dict(parse_qsl(urlsplit(answer.url_for_oauthlib).query))["code"] == code


def compares_state(tree: ast.AST) -> list[int]:
    """Return the lines where `==`, `!=`, `in` or `is` touches a name, attribute or key with "state" in it."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops
        ):
            for part in (node.left, *node.comparators):
                names = {getattr(part, "id", ""), getattr(part, "attr", "")}
                if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
                    names.add(str(part.slice.value))
                if names & {"state", "nonce", "stale_states"}:
                    found.append(node.lineno)
    return sorted(set(found))


def test_the_search_for_comparisons_finds_them() -> None:
    for wrong in ("state == x", "a.state != b", "record['state'] == x", "state in record['stale_states']"):
        assert compares_state(ast.parse(wrong)) == [1], wrong


@pytest.mark.parametrize(
    "path", sorted(Path(redbooth_nb.__path__[0], "client").glob("*.py")), ids=lambda path: path.name
)
def test_state_is_never_compared_with_operators(path: Path) -> None:
    """R2: only `hmac.compare_digest`, whose time tells nothing."""
    assert compares_state(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("module", [authorize, response])
def test_state_comes_from_secrets(module: ModuleType) -> None:
    """R1: nothing here asks the ordinary random generator."""
    assert "import random" not in inspect.getsource(module)
