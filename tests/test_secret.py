"""The type that every secret is held in. What must not show it is in tests/test_secrecy.py."""

import hmac
import json
from collections import OrderedDict

import pytest
from hypothesis import given, strategies as st

from redbooth_nb import secret as secret_module
from redbooth_nb.secret import Secret, same_text
from redbooth_nb.traffic.redaction import SECRET_FIELDS, hidden_json


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what an earlier test made known: it would be hidden here as well."""
    monkeypatch.setattr(secret_module, "_known", OrderedDict())


@given(st.text(st.characters(codec=None), max_size=50), st.text(st.characters(codec=None), max_size=50))
def test_two_are_equal_when_their_values_are(one: str, other: str) -> None:
    """Also for text that is no UTF-8."""
    assert (Secret("token", one) == Secret("token", other)) == (one == other) == same_text(one, other)


def test_equal_ones_have_the_same_fingerprint_and_hash() -> None:
    one, same, other = Secret("token", "a"), Secret("code", "a"), Secret("token", "b")
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert len({one, same, other}) == 2
    assert one != "a"


def test_comparing_takes_the_same_time_wherever_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """R2: by `hmac.compare_digest` on bytes."""
    seen: list[tuple[object, object]] = []
    real = hmac.compare_digest

    def spy(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return real(one, other)

    monkeypatch.setattr(secret_module.hmac, "compare_digest", spy)
    assert not same_text("abc", "abd")
    assert Secret("token", "x") == Secret("token", "x")
    assert seen == [(b"abc", b"abd"), (b"x", b"x")]


def test_the_kind_and_the_value_are_all_there_is() -> None:
    secret = Secret("access token", "value")
    assert (secret.kind, secret.reveal()) == ("access token", "value")
    assert f"{secret:>40}" == repr(secret).rjust(40)
    with pytest.raises(AttributeError):
        secret.other = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", SECRET_FIELDS)
def test_json_is_hidden_by_the_fields_name_at_any_depth(name: str) -> None:
    body = {"a": [{name: "canary", "b": {name: ["canary-is-no-text-here"]}}], "plain": "seen", name: ""}
    hidden = hidden_json(json.dumps(body))
    assert "canary'" not in repr(hidden)
    assert hidden["a"][0][name].reveal() == "canary"
    assert (hidden["plain"], hidden[name]) == ("seen", "")
