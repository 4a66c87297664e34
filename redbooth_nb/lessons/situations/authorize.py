"""The situations for `authorization_link(credentials, state)` and `is_ours(address, state)`."""

from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error

from redbooth_nb.client.wire import connect
from redbooth_nb.lessons import my_redbooth_app
from redbooth_nb.lessons.trial import REDIRECT_URI, STATE, Mistake, Situation, Trial, expect
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.provider.visitor import page_message
from redbooth_nb.traffic.transcript import RoundTrip

ODD = "a&b=ü/?"
_YES, _NO = True, False


def _link(trial: Trial, state: str) -> str:
    link = trial.run(trial.credentials, state)
    expect(isinstance(link, str), "no_link", kind=type(link).__name__)
    expect(not trial.sent, "link_opened")
    expect(trial.credentials["client_secret"] not in link, "secret_in_address")
    return str(link)


def _page(trial: Trial) -> None:
    link = _link(trial, STATE)
    expect(link.partition("?")[0] == AUTHORIZE_URL, "other_address", address=link.partition("?")[0])
    fields = dict(parse_qsl(urlsplit(link).query))
    expect(fields.get("response_type") != "token", "token_in_fragment")
    page = connect(requests.Session()).get(link, timeout=5)
    trial.seen.append(RoundTrip.from_response(page))
    expect("Allow" in page.text or "Authorize" in page.text, "error_page", said=page_message(page))


def _state(trial: Trial) -> None:
    for state in (STATE, ODD):
        fields = parse_qs(urlsplit(link := _link(trial, state)).query)
        expect("state" in fields, "no_state")
        expect(fields["state"] == [state], "state_changed", sent=fields["state"], state=state)
        expect(urlsplit(link).fragment == "", "state_changed", sent=fields["state"], state=state)


def _back(trial: Trial) -> None:
    address = trial.follow(_link(trial, STATE))
    fields = parse_qs(urlsplit(address).query)
    expect({*fields} >= {"code", "state"}, "no_code")
    try:
        my_redbooth_app.exchange(trial.credentials, address, STATE)
    except OAuth2Error:
        raise Mistake("useless_code") from None


def _dropped(trial: Trial) -> None:
    trial.sandbox.switch(state="dropped")
    address = trial.follow(_link(trial, ODD))
    expect(parse_qs(urlsplit(address).query).get("attempt") == [ODD], "no_attempt")


def _callback(query: str) -> str:
    return f"{REDIRECT_URI}?{query.format(state=STATE)}"


def _answers(expected: object, *cases: tuple[str, str]) -> Situation:
    """Return a situation in which `is_ours` has to say the same of several queries, each with its mistake."""

    def happens(trial: Trial) -> None:
        for mistake, query in cases:
            state = ODD if "not_decoded" in mistake else STATE
            given = trial.run(_callback(query), state)
            expect(isinstance(given, bool), "not_yes_or_no", kind=type(given).__name__)
            expect(given is expected, mistake, address=_callback(query))

    return happens


_CODE = "code=6f1c3a"
SITUATIONS: dict[str, dict[str, Situation]] = {
    "authorization_link": {"page": _page, "state": _state, "back": _back, "dropped": _dropped},
    "is_ours": {
        "ours": _answers(
            _YES,
            ("own_refused", _CODE + "&state={state}"),
            ("own_refused", "state={state}&" + _CODE),
            ("deny_refused", "error=access_denied&error_description=No&state={state}"),
            ("not_decoded", f"{_CODE}&state={quote_plus(ODD)}"),
        ),
        "forged": _answers(
            _NO,
            ("forged_accepted", _CODE + "&state=guessed"),
            ("forged_accepted", "error=access_denied&state=guessed"),
            ("inside_accepted", _CODE + "&state={state}-and-more"),
            ("inside_accepted", f"{_CODE}&state={STATE[:-2]}"),
            ("forged_accepted", f"{_CODE}&state={STATE.swapcase()}"),
            ("inside_accepted", "code={state}&state=guessed"),
            ("inside_accepted", _CODE + "&state=guessed#state={state}"),
        ),
        "missing": _answers(_NO, ("missing_accepted", _CODE), ("missing_accepted", _CODE + "&state=&attempt=")),
        "twice": _answers(
            _NO,
            ("twice_accepted", _CODE + "&state=guessed&state={state}"),
            ("twice_accepted", _CODE + "&state={state}&state=guessed"),
        ),
        "dropped": _answers(_YES, ("attempt_refused", "attempt={state}&" + _CODE)),
        "dropped_forged": _answers(
            _NO,
            ("attempt_accepted", "attempt=guessed&" + _CODE),
            ("attempt_first", "attempt={state}&state=guessed&" + _CODE),
        ),
    },
}
