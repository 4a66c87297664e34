"""The HTTP view: every exchange, redacted and ready to copy."""

import pytest
import requests
from practice import DECIDE, SECRET
from widgets.clicks import saved, shown, shows

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.widgets.http import SHOWN, HttpView


def test_before_the_first_exchange_it_says_so(app: Settings) -> None:
    assert app.client_id
    view = HttpView()
    assert "Nothing has been sent to Redbooth yet." in shown(view)
    assert view.text() == "Nothing has been sent to Redbooth yet."


def test_it_shows_the_exchanges_without_the_secrets(app: Settings, decide: DECIDE) -> None:
    response = decide(app)
    token = exchange(response)
    view = HttpView()
    assert "<strong>POST</strong> /oauth2/token" in shown(view)
    assert "200 OK" in shown(view)
    assert str(token.access_token) in view.text()
    assert token.refresh_token is not None
    assert response.code is not None
    for secret in (SECRET, token.access_token.reveal(), token.refresh_token.reveal(), response.code.reveal()):
        for text in (shown(view), view.text(), saved()):
            assert secret not in text


def test_both_forms_of_curl_stand_beside_each_other(app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    before = shown(HttpView())
    own = f"curl -X POST {app.provider.link()}/oauth2/token"  # from now in the sandbox listens
    said = shown(HttpView())
    assert "curl -X POST https://redbooth.com/oauth2/token" in said
    assert own in said
    assert "your own sandbox" not in before
    assert "$REDBOOTH_CLIENT_SECRET" in said


def test_it_follows_what_is_sent(app: Settings) -> None:
    assert app.client_id
    view, given = HttpView(), HttpView([])
    followed = shows(view, "401 Unauthorized")
    connect(requests.Session()).get(f"{API_URL}/me", timeout=5)
    assert followed.wait(5)
    assert "Nothing has been sent" in shown(given)
    assert "401 Unauthorized" in shown(view)
    assert "GET https://redbooth.com/api/3/me" in view.text()


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", '"><img src=x>'])
def test_what_an_answer_says_is_escaped(app: Settings, word: str) -> None:
    assert app.client_id
    connect(requests.Session()).get(f"{API_URL}/tasks", params={"word": word}, headers={"X-Word": "a"}, timeout=5)
    assert word not in shown(HttpView())


def test_of_many_it_shows_the_newest(app: Settings) -> None:
    assert app.client_id
    session = connect(requests.Session())
    for _ in range(SHOWN + 2):
        session.get(f"{API_URL}/me", timeout=5)
    view = HttpView()
    assert f"The newest {SHOWN} of {SHOWN + 2} requests." in shown(view)
    assert f"{SHOWN + 2}. <strong>GET" in shown(view)
    assert "2. <strong>GET" not in shown(view).partition("3. <strong>GET")[0]
    assert view.text().count("401 Unauthorized") == SHOWN + 2
