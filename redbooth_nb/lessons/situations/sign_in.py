"""The situations for `authorization_link(credentials, state)`, `is_ours(address, state)` and `exchange`."""

from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session
from werkzeug.wrappers import Response

from redbooth_nb.lessons import my_redbooth_app
from redbooth_nb.lessons.situations.files import check_privacy
from redbooth_nb.lessons.trial import NO_ANSWERS, REDIRECT_URI, STATE, Mistake, Trial, expect
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.provider.visitor import page_message
from redbooth_nb.traffic.transcript import RoundTrip

ODD, ODD_IN_ASCII = "a&b=ü/?", "a&b=/?"  # own states are in ASCII, so that is_ours need not take any other


def _link(trial: Trial, state: str) -> str:
    link = trial.run(trial.credentials, state)
    expect(isinstance(link, str), "no_link", kind=type(link).__name__)
    expect(not trial.sent, "link_opened")
    expect(trial.credentials["client_secret"] not in link, "secret_in_address")
    return str(link)


def _opens(trial: Trial, link: str, mistake: str) -> None:
    page = trial.browser.get(link, timeout=5)
    trial.seen.append(RoundTrip.from_response(page))
    expect("Allow" in page.text or "Authorize" in page.text, mistake, said=page_message(page), link=link)


def authorization_link_page(trial: Trial) -> None:
    link = _link(trial, STATE)
    expect(link.partition("?")[0] == AUTHORIZE_URL, "other_address", address=link.partition("?")[0])
    fields = dict(parse_qsl(urlsplit(link).query))
    expect(fields.get("response_type") != "token", "token_in_fragment")
    _opens(trial, link, "error_page")


def authorization_link_state(trial: Trial) -> None:
    for state in (STATE, ODD):
        fields = parse_qs(urlsplit(link := _link(trial, state)).query)
        expect("state" in fields, "no_state")
        unchanged = fields["state"] == [state] and urlsplit(link).fragment == ""
        expect(unchanged, "state_changed", sent=" and ".join(fields["state"]), state=state)


def authorization_link_back(trial: Trial) -> None:
    address = trial.follow(_link(trial, STATE))
    fields = parse_qs(urlsplit(address).query)
    expect({*fields} >= {"code", "state"}, "no_code")
    try:
        my_redbooth_app.exchange(trial.credentials, address, STATE)
    except OAuth2Error:
        raise Mistake("useless_code") from None


def authorization_link_dropped(trial: Trial) -> None:
    trial.sandbox.switch(state="dropped")
    _opens(trial, link := _link(trial, ODD), "attempt_not_encoded")
    address = trial.follow(link)
    expect(parse_qs(urlsplit(address).query).get("attempt") == [ODD], "no_attempt")


def is_ours(trial: Trial, expected: object, queries: list[tuple[str, str]]) -> None:
    for mistake, query in queries:
        sent = query.format(state=STATE, odd=quote_plus(ODD_IN_ASCII))
        trial.keep_secret(dict(parse_qsl(sent)))
        for address in (f"{REDIRECT_URI}?{sent}", f"https://my-app.test/?{sent}"):
            given = trial.run(address, ODD_IN_ASCII if "{odd}" in query else STATE)
            expect(isinstance(given, bool), "not_yes_or_no", kind=type(given).__name__)
            expect(given is expected, mistake, address=address)


def exchange_allow(trial: Trial) -> None:
    for scheme in ("http", "https"):  # the latter on a server
        address = scheme + trial.arrive().removeprefix("http")
        trial.good_token(trial.run(trial.credentials, address, STATE))
        check_privacy(trial, "others_can_read_a_copy")


def exchange_forged(trial: Trial) -> None:
    own = OAuth2Session.fetch_token
    for ending in ("state=guessed", "", "state=guessed&attempt=guessed"):
        code = dict(parse_qsl(urlsplit(trial.arrive()).query))["code"]
        with patch.object(OAuth2Session, "fetch_token", autospec=True, side_effect=own) as fetch_token:
            error = trial.refused(trial.credentials, f"{REDIRECT_URI}?code={code}&{ending}", STATE)
        if trial.sent:
            for (oauth, *_), given in fetch_token.call_args_list:
                expect(oauth._state != "guessed", "compared_with_itself")
                expect(not given.get("code"), "code_passed")
            raise Mistake("forged_sent")
        expect(error, "forged_ignored")


def exchange_deny(trial: Trial) -> None:
    error = trial.refused(trial.credentials, trial.arrive("deny"), STATE)
    expect(not trial.sent, "deny_sent")
    expect(error, "deny_ignored")
    by_accident = isinstance(error, LookupError | TypeError | AttributeError)
    expect(not by_accident, "deny_by_accident", error=type(error).__name__)


def exchange_dropped(trial: Trial) -> None:
    trial.sandbox.switch(state="dropped")
    error = trial.refused(trial.credentials, trial.arrive(), STATE)
    expect(error is None, "dropped_refused", error=type(error).__name__)
    trial.good_token(trial.returned)


def exchange_refused(trial: Trial) -> None:
    address = trial.arrive()
    my_redbooth_app.exchange(trial.credentials, address, STATE)
    trial.failed(trial.credentials, address, STATE)


def exchange_no_answer(trial: Trial) -> None:
    for no_answer in (*NO_ANSWERS, Response("<h1>Sorry</h1>", 500)):
        trial.answers = [no_answer, no_answer]
        trial.failed(trial.credentials, trial.arrive(), STATE)
