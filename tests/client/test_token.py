"""The answer of the token endpoint as an object."""

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from redbooth_nb.client.errors import TokenEndpointError
from redbooth_nb.client.token import Token, content_problems

ANSWER = {"access_token": "an-access-token", "refresh_token": "a-refresh-token", "expires_in": 7200, "scope": "all"}


def token(**changes: Any) -> Token:  # noqa: ANN401
    return Token.from_response({**ANSWER, **changes}, 1000.0)


def test_what_is_revealed_is_read_back() -> None:
    for one in (token(), token(refresh_token=None), token(expires_in=None), token(scope=None)):
        assert Token.from_response(one.reveal(), one.obtained_at) == one


def test_expiry_is_counted_from_arrival_not_from_created_at() -> None:
    assert token(created_at=5).remaining(8000.0) == 200.0
    assert token(expires_in=None).remaining(9e9) is None
    assert not token(expires_in=None).needs_refresh(9e9)


@pytest.mark.parametrize(
    ("lifetime", "left", "due"),
    [
        (7200, 61, False), (7200, 60, True), (7200, 0, True), (7200, -5000, True),
        (100, 11, False), (100, 10, True), (10, 2, False), (10, 1, True), (1, 1, False),
    ],
)  # fmt: skip
def test_it_is_refreshed_in_the_last_minute_or_tenth(lifetime: int, left: int, due: bool) -> None:  # noqa: FBT001
    """R30: min(60 s, a tenth of the lifetime)."""
    assert token(expires_in=lifetime).needs_refresh(1000.0 + lifetime - left) == due


@pytest.mark.parametrize("value", ["\u2713", "\ud800", "two words", "line\nbreak", "\x7f", "caf\u00e9"])
@pytest.mark.parametrize("field", ["access_token", "refresh_token"])
def test_a_token_that_no_header_can_carry_is_refused_when_it_arrives(field: str, value: str) -> None:
    """R49: not saved, to be fatal at the next call."""
    with pytest.raises(TokenEndpointError, match=rf"{field} is .*visible ASCII") as caught:
        Token.from_response({"access_token": "good", "refresh_token": "good", field: value}, 0.0)
    assert value not in str(caught.value)


@given(st.integers(1, 10**9 - 1), st.floats(-1e9, 1e9))
def test_a_clock_set_back_adds_no_life(lifetime: int, now: float) -> None:
    """R31."""
    left = token(expires_in=lifetime).remaining(now)
    assert left is not None
    assert left <= lifetime


@pytest.mark.parametrize(
    "lifetime", ["", "soon", "-1", "7 200", "\u0667\u0662", -1, True, False, [], {}, math.inf, math.nan, "9" * 30]
)
def test_a_lifetime_that_is_none_is_unknown(lifetime: object) -> None:
    """The tokens beside it are too good to lose for that."""
    assert token(expires_in=lifetime) == token(expires_in=None)


@pytest.mark.parametrize("scope", [None, "", 5, [5], {"all": 1}, True])
def test_without_a_scope_the_previous_one_stays(scope: object) -> None:
    """RFC 6749 section 5.1: left out, it is the same as before."""
    assert token(scope=scope).scope == ""
    assert Token.from_response({**ANSWER, "scope": scope}, 1000.0, previous=token(scope="read")).scope == "read"
    assert Token.from_response({**ANSWER, "scope": ["a", "b"]}, 1000.0, previous=token(scope="read")).scope == "a b"


@given(st.dictionaries(st.sampled_from([*ANSWER, "token_type", "other"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)))  # fmt: skip
def test_any_json_is_a_token_or_a_named_error(answer: dict[str, Any]) -> None:
    """R19: never an error of another kind."""
    problems = content_problems(answer)
    if problems:
        with pytest.raises(TokenEndpointError) as caught:
            Token.from_response(answer, 0.0)
        assert caught.value.why == problems
    else:
        found = Token.from_response(answer, 0.0)
        assert found.access_token.reveal() == answer["access_token"]
        assert Token.from_response(found.reveal(), 0.0) == found
