"""Stage 2 as one object: the link, the wait, the answer."""

import socket
import threading
import urllib.request
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest

from redbooth_nb.client import callback
from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.errors import CallbackError, StateError
from redbooth_nb.client.register import Settings
from redbooth_nb.errors import NotYet

QUICK = 10  # seconds a test waits for what takes milliseconds


def answer_url(request: AuthorizationRequest, **fields: str) -> str:
    return f"{request.redirect_uri}?" + urlencode({"code": "the-code", "state": request.state, **fields})


def test_it_returns_at_once_and_the_answer_arrives(app: Settings) -> None:
    """R16: nothing blocks while a person decides; the browser's answer comes on another thread."""
    changed = threading.Event()
    sign_in = SignIn(AuthorizationRequest.new(app), on_change=changed.set)
    assert (sign_in.status, sign_in.notice, sign_in.refused) == ("waiting", "", [])
    assert repr(sign_in) == "Sign-in waiting."
    with pytest.raises(NotYet, match="no answer yet"):
        _ = sign_in.response
    with urllib.request.urlopen(answer_url(sign_in.request), timeout=QUICK) as page:  # noqa: S310  (our own listener)
        assert page.status == 200
    assert sign_in.wait(QUICK)
    assert changed.wait(QUICK)
    assert sign_in.status == "answered"
    assert sign_in.response.outcome == "allowed"
    assert "the-code" not in repr(sign_in)


def test_a_pasted_address_is_as_good(app: Settings) -> None:
    """The port is free afterwards, and a wrong paste changes nothing."""
    sign_in = SignIn(AuthorizationRequest.new(app))
    for wrong, kind in (("what?", CallbackError), (answer_url(sign_in.request, state="x"), StateError)):
        with pytest.raises(kind):
            sign_in.paste(wrong)
        assert sign_in.status == "waiting"
    sign_in.paste(answer_url(sign_in.request))
    assert (sign_in.status, sign_in.response.outcome) == ("answered", "allowed")
    assert sign_in.wait(0)
    assert callback._sign_ins == {}
    with pytest.raises(StateError, match="already been answered"):
        sign_in.paste(answer_url(sign_in.request))


def test_where_the_port_is_busy_the_address_can_be_pasted(app: Settings) -> None:
    """R10: said in words, and no other port is taken."""
    request = AuthorizationRequest.new(app)
    with closing(socket.create_server(("127.0.0.1", urlsplit(request.redirect_uri).port or 0))):
        sign_in = SignIn(request)
        assert "is not free" in sign_in.notice
        assert "paste" in sign_in.notice
        assert sign_in.status == "waiting"
        assert not sign_in.wait(0)
        assert sign_in.paste(answer_url(request)).outcome == "allowed"
        assert sign_in.status == "answered"


@pytest.mark.parametrize("end", ["canceled", "timed out"])
def test_an_end_without_an_answer_is_none(app: Settings, end: str) -> None:
    """R15: `wait` tells whether the answer came, not whether the waiting is over."""
    sign_in = SignIn(AuthorizationRequest.new(app), timeout=600 if end == "canceled" else 0.01)
    if end == "canceled":
        sign_in.cancel()
    assert not sign_in.wait(QUICK)
    assert sign_in.status == end
    with pytest.raises(NotYet, match="sign-in cell again"):
        _ = sign_in.response
    assert sign_in.paste(answer_url(sign_in.request)).outcome == "allowed"
    sign_in.cancel()
    assert sign_in.status == "answered"
