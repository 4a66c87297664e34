"""The request that sends the user to Redbooth."""

import re
import string
import threading
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from bs4 import BeautifulSoup
from requests_oauthlib import OAuth2Session

from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization, adopt
from redbooth_nb.client.errors import StateError, StoreError
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.secret import Secret


def test_every_attempt_has_its_own_state_of_128_bits_or_more(settings: Settings) -> None:
    """R1: `state` holds at least 128 bits, and two attempts never share one."""
    states = [AuthorizationRequest.new(settings).state for _ in range(200)]
    assert len(set(states)) == 200
    assert min(len(state) for state in states) * 6 >= 128  # url-safe base64: 6 bits to a character


def test_the_nonce_is_another_random_value(settings: Settings) -> None:
    """R1: the second proof is not the first one again."""
    requests = [AuthorizationRequest.new(settings, nonce=True) for _ in range(50)]
    assert len({value for request in requests for value in (request.state, request.nonce)}) == 100
    assert all(len(request.nonce) * 6 >= 128 for request in requests)


def test_the_url_holds_the_guides_parameters_each_once(sent: AuthorizationRequest, settings: Settings) -> None:
    parts = urlsplit(sent.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == AUTHORIZE_URL
    assert sorted(parse_qsl(parts.query)) == sorted(
        {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": settings.redirect_uri,
            "state": sent.state,
        }.items()
    )


@pytest.mark.parametrize("response_type", ["code", "token", "of & my=own"])
def test_the_url_and_the_form_say_what_the_parameters_say(settings: Settings, response_type: str) -> None:
    """GET and POST carry the same; a wrong response_type, made on purpose, arrives as it was written."""
    request = AuthorizationRequest.new(settings, response_type=response_type, scope="a&b c", pkce=True, nonce=True)
    assert dict(parse_qsl(urlsplit(request.url).query)) == request.parameters
    form = BeautifulSoup(request.form, "html.parser")
    assert {field["name"]: field["value"] for field in form.find_all("input")} == request.parameters
    assert request.parameters["response_type"] == response_type


def test_another_port_of_the_loopback_is_adopted(settings: Settings) -> None:
    """As RFC 8252 section 7.3 allows, and Redbooth's engine."""
    uri = settings.redirect_uri.replace(str(urlsplit(settings.redirect_uri).port), "9999")
    url, _ = OAuth2Session(settings.client_id, redirect_uri=uri).authorization_url(AUTHORIZE_URL)
    assert adopt(url).redirect_uri == uri


@pytest.mark.parametrize("scope", [None, "all", "a&b c"])
def test_a_request_made_by_the_library_is_adopted_as_it_is(settings: Settings, scope: str | None) -> None:
    """What the library wrote is what the user opens, and only the answer to it is accepted."""
    session = OAuth2Session(settings.client_id, redirect_uri=settings.redirect_uri, scope=scope)
    earlier, (url, state) = AuthorizationRequest.new(settings), session.authorization_url(AUTHORIZE_URL)
    request = adopt(url)
    assert (request.url, request.state) == (url, state)
    assert PendingAuthorization(settings).request() == request
    answer = f"{settings.redirect_uri}?code=the-code&state="
    with pytest.raises(StateError):
        AuthorizationResponse.read(answer + earlier.state, request)
    assert AuthorizationResponse.read(answer + state, request).code is not None


def test_the_same_address_is_adopted_until_it_was_answered(settings: Settings) -> None:
    """A cell may be run again; but a state counts once, and never again after a newer request."""
    session = OAuth2Session(settings.client_id, redirect_uri=settings.redirect_uri)
    urls = [session.authorization_url(AUTHORIZE_URL)[0] for _ in range(2)]
    requests = [adopt(url) for url in (urls[0], urls[1], urls[1])]
    AuthorizationResponse.read(f"{settings.redirect_uri}?code=the-code&state={requests[2].state}", requests[2])
    for url in urls:
        with pytest.raises(RedboothError, match="This address was used before"):
            adopt(url)
    record = PendingAuthorization(settings).load()
    assert (record["answered"], record["state"]) == (True, requests[2].state)


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda url: url.replace("redbooth.com", "redbooth.com.my-app.test"),
        lambda url: url.replace("client_id=", "client_id=x"),
        lambda url: url.partition("&state=")[0],
        lambda url: url.replace("redirect_uri=", "redirect_uri=http%3A%2F%2Fanother.test%2F"),
        lambda url: re.sub("redirect_uri=[^&]*&", "", url),
        lambda url: f"{url}&state=another",
        lambda url: re.sub("redirect_uri=[^&]*&", "redirect_uri=http%3A%2F%2F%5B&", url),
        lambda url: f"{url}&nonce=abc",
        lambda url: f"{url}&code_challenge=abc",
        lambda url: f"{url}&prompt=login",
        lambda url: f"{url}#part",
        lambda _url: "",
        lambda url: (url, "state"),  # as authorization_url() returns it
    ],
)
def test_an_address_that_the_kit_cannot_follow_is_refused(
    sent: AuthorizationRequest, settings: Settings, spoiled: Callable[[str], str]
) -> None:
    """A half-understood request is never taken for the one under way, which stays."""
    with pytest.raises(RedboothError, match="The kit cannot adopt this address"):
        adopt(spoiled(sent.url))
    assert PendingAuthorization(settings).request() == sent


def test_every_parameter_is_explained(settings: Settings) -> None:
    request = AuthorizationRequest.new(settings, scope="all", pkce=True)
    described = request.describe()
    assert {name: value for name, value, _ in described} == request.parameters
    assert all(meaning for _, _, meaning in described)


def test_the_challenge_is_that_of_rfc_7636_appendix_b(sent: AuthorizationRequest) -> None:
    """R6: the vector of RFC 7636 appendix B."""
    verifier = Secret("code verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    parameters = replace(sent, code_verifier=verifier).parameters
    assert parameters["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert parameters["code_challenge_method"] == "S256"


def test_the_verifier_is_43_to_128_unreserved_characters(settings: Settings) -> None:
    """R6: RFC 7636 section 4.1, and never the same twice."""
    unreserved = set(string.ascii_letters + string.digits + "-._~")
    verifiers = []
    for _ in range(50):
        request = AuthorizationRequest.new(settings, pkce=True)
        assert request.code_verifier is not None
        verifiers.append(request.code_verifier.reveal())
    assert len(set(verifiers)) == 50
    assert all(43 <= len(verifier) <= 128 and set(verifier) <= unreserved for verifier in verifiers)


def test_without_pkce_nothing_of_it_is_sent(sent: AuthorizationRequest) -> None:
    assert sent.code_verifier is None
    assert not any(name.startswith("code_challenge") for name in sent.parameters)


def test_the_nonce_joins_a_redirect_uri_that_has_a_query(settings: Settings) -> None:
    request = AuthorizationRequest.new(replace(settings, redirect_uri=settings.redirect_uri + "?tenant=1"), nonce=True)
    assert dict(parse_qsl(urlsplit(request.redirect_uri).query)) == {"tenant": "1", "attempt": request.nonce}


def test_a_request_survives_a_restart_of_the_kernel(settings: Settings) -> None:
    """R6: what another kernel finds on disk is the same request, verifier included."""
    request = AuthorizationRequest.new(settings, scope="all", pkce=True, nonce=True)
    assert PendingAuthorization(Settings.load()).request() == replace(request, settings=Settings.load())


def test_before_any_request_nothing_is_under_way(settings: Settings) -> None:
    with pytest.raises(NotYet, match="No authorization is in progress"):
        PendingAuthorization(settings).request()


def test_a_record_that_lacks_a_field_is_a_named_error(sent: AuthorizationRequest, settings: Settings) -> None:
    """R36: an edited record is damaged, not a KeyError."""
    path = settings.folder / "authorization.json"
    path.write_text('{"format": 1, "state": "x"}')
    with pytest.raises(StoreError, match=r"authorization\.json is damaged"):
        PendingAuthorization(settings).request()
    assert path.read_text() == '{"format": 1, "state": "x"}'
    assert sent.state not in path.read_text()


def test_the_link_leads_to_the_provider_in_use(app: Settings) -> None:
    """The code says redbooth.com; the browser is sent to the stand-in."""
    request = AuthorizationRequest.new(app)
    assert request.link == request.url.replace("https://redbooth.com", app.provider.origin)
    assert request.link.startswith("http://127.0.0.1:")


def test_spending_an_older_answer_keeps_the_newer_one(settings: Settings) -> None:
    """Nothing is lost in silence: the code of the newest request stays until it is sent itself."""
    older, newer = AuthorizationRequest.new(settings), AuthorizationRequest.new(settings)
    pending = PendingAuthorization(settings)
    with pending.change() as record:
        record["callback_url"] = f"{settings.redirect_uri}?code=x"
    pending.mark_code_sent(older, Secret("authorization code", "of the older"))
    assert pending.load()["callback_url"] == f"{settings.redirect_uri}?code=x"
    pending.mark_code_sent(newer, Secret("authorization code", "x"))
    assert "callback_url" not in pending.load()


@pytest.mark.parametrize("damaged", ["{", '{"format": 1, "state": "x"}', '{"format": 1, "stale_states": 7}'])
def test_a_damaged_record_does_not_stop_a_new_request(settings: Settings, damaged: str) -> None:
    AuthorizationRequest.new(settings)
    path = settings.folder / "authorization.json"
    path.write_text(damaged)
    request = AuthorizationRequest.new(settings)
    assert PendingAuthorization(settings).request().state == request.state


def test_an_answer_is_kept_for_the_request_that_it_was_checked_against(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell runs again, in another notebook, while the answer to the first request is being checked."""
    first = AuthorizationRequest.new(settings)
    made: list[AuthorizationRequest] = []
    again = threading.Thread(target=lambda: made.append(AuthorizationRequest.new(settings)))
    load = PendingAuthorization.load

    def slow(self: PendingAuthorization) -> dict[str, object]:
        record = load(self)
        if not again.ident:
            again.start()
            again.join(0.3)  # who does not wait for the lock has written by then
        return record

    monkeypatch.setattr(PendingAuthorization, "load", slow)
    AuthorizationResponse.read(f"{settings.redirect_uri}?code=x&state={first.state}", first)
    again.join()
    record = load(PendingAuthorization(settings))
    assert (record["state"], record["answered"]) == (made[0].state, False)
