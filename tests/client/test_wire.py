"""How the client reaches the provider, and what it says when nobody answers."""

import inspect
from typing import Any

import pytest
import requests
from client.machine import RESET, SILENT, FaultyServer, reply, unused_port
from requests.adapters import HTTPAdapter

from redbooth_nb.client import wire
from redbooth_nb.client.errors import TransportError
from redbooth_nb.client.refresh import RedboothSession
from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import Token
from redbooth_nb.client.wire import connect, named_failures, transport_failure
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.traffic.transcript import transcript

ME = f"{API_URL}/me"


def send(url: str, timeout: tuple[float, float] = (2, 0.6)) -> requests.Response:
    """Ask as the kit's own calls do."""
    with named_failures(f"GET {url.partition('?')[0]}"):
        return connect(requests.Session()).get(url, timeout=timeout)


def test_connecting_twice_is_connecting_once(faulty: FaultyServer) -> None:
    """An exchange is noted once."""
    session = connect(connect(requests.Session()))
    session.get(ME)
    assert len(transcript) == len(faulty.received) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RESET, "no connection"),
        (SILENT, "did not respond in time"),
        (b"not HTTP at all\r\n\r\n", "no connection"),
        (reply(200, "", length=500), "could not be read|no connection"),
        (reply(200, "no gzip", Content_Encoding="gzip"), "could not be read"),
    ],
    ids=["reset", "silent", "not HTTP", "too short", "not gzip"],
)
def test_no_answer_is_a_sentence(faulty: FaultyServer, answer: bytes, said: str) -> None:
    """R19: it names method and address, without the query."""
    faulty.answers = [answer]
    with pytest.raises(TransportError, match=said) as caught:
        send(f"{ME}?access_token=hidden")
    assert str(caught.value).startswith(f"GET {ME}: ")
    assert "hidden" not in str(caught.value)
    assert caught.value.remedy
    assert len(faulty.received) == 1


def test_nobody_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TransportError, match="no connection"):
        send(ME)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (requests.exceptions.SSLError("x"), "secure connection"),
        (requests.exceptions.ConnectTimeout("x"), "the connection to the server took too long"),
        (requests.exceptions.ReadTimeout("x"), "did not respond in time"),
        (requests.exceptions.TooManyRedirects("x"), "to another address"),
        (requests.exceptions.ProxyError("x"), "did not get through the proxy"),
        (requests.exceptions.ChunkedEncodingError("x"), "could not be read"),
        (requests.exceptions.ContentDecodingError("x"), "could not be read"),
    ],
)
def test_every_kind_of_failure_has_words_of_its_own(error: requests.RequestException, said: str) -> None:
    """R21: the words never suggest to turn the certificate check off."""
    failure = transport_failure(error, "exchange")
    assert said in failure.what
    assert failure.remedy
    assert "verify" not in str(failure)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTPS_PROXY", "http://127.0.0.1:1", "did not get through the proxy"),
        ("HTTPS_PROXY", "gopher://127.0.0.1:9", "an address cannot be used"),
        ("HTTPS_PROXY", "http://a:b:c", "an address cannot be used"),
        ("REQUESTS_CA_BUNDLE", "/nowhere/certificates.pem", "a file that the request needs cannot be read"),
    ],
)
def test_a_wrong_setting_of_this_machine_is_named_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """R21: so neither a code nor a refresh token counts as used up."""
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    monkeypatch.setenv(name, value)
    with pytest.raises(TransportError, match=said) as caught:
        send(ME)
    assert not caught.value.sent
    assert caught.value.remedy


def test_an_error_of_a_hook_does_not_say_that_nothing_was_sent(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token
) -> None:
    """R21: a hook runs when the answer is there."""
    del stored

    def hook(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(TransportError) as caught:
        RedboothSession(app_at_faulty).get("/me", hooks={"response": hook})
    assert caught.value.sent
    assert len(faulty.received) == 1


def test_every_request_has_time_limits(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21."""
    seen: list[object] = []
    real = HTTPAdapter.send

    def spy(self: HTTPAdapter, *arguments: object, **options: object) -> requests.Response:
        seen.append(arguments[2] if len(arguments) > 2 else options["timeout"])
        return real(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(HTTPAdapter, "send", spy)
    del stored
    RedboothSession(app_at_faulty).get("/me")
    assert seen == [wire.TIMEOUT]
    assert len(faulty.received) == 1


def test_nothing_is_tried_again_by_itself(faulty: FaultyServer) -> None:
    """R17: no adapter of a connected session retries."""
    session = connect(requests.Session())
    for adapter in session.adapters.values():
        assert isinstance(adapter, HTTPAdapter)
        assert adapter.max_retries.total == 0
    assert faulty.received == []


def test_no_option_of_the_kit_turns_the_certificate_check_off() -> None:
    """R21: `verify` is not written anywhere in the client."""
    assert "verify" not in inspect.getsource(wire)


@pytest.mark.parametrize(
    "arguments", [{"headers": {"X": "a\nb"}}, {"json": float("nan")}, {"headers": {"X": "\u4e2d"}}]
)
def test_arguments_that_cannot_be_sent_are_named(
    faulty: FaultyServer, app_at_faulty: Settings, stored: Token, arguments: dict[str, Any]
) -> None:
    """Not "the answer could not be read": there is none."""
    del stored, app_at_faulty
    with pytest.raises(TransportError, match="cannot be sent as it is") as caught:
        RedboothSession().post("/tasks", **arguments)
    assert not caught.value.sent
    assert faulty.received == []
