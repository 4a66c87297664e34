"""The HTTP view: every exchange, redacted and ready to copy."""

import pytest
import requests
from practice import DECIDE, SECRET
from widgets.clicks import click, saved, shown

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import connect
from redbooth_nb.provider.addresses import API_URL
from redbooth_nb.widgets.http import HttpView


def test_before_the_first_exchange_it_says_so(app: Settings) -> None:
    assert app.client_id
    view = HttpView()
    assert "Nothing has been sent to Redbooth yet." in shown(view)
    assert view.text() == "Nothing has been sent to Redbooth yet."
    assert view.last == ""


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
    said = shown(HttpView())
    assert "curl -X POST https://redbooth.com/oauth2/token" in said
    assert f"curl -X POST {app.provider.origin}/oauth2/token" in said
    assert "$REDBOOTH_CLIENT_SECRET" in said


def test_look_again_shows_what_came_since(app: Settings) -> None:
    assert app.client_id
    view = HttpView()
    connect(requests.Session()).get(f"{API_URL}/me", timeout=5)
    assert "401 Unauthorized" not in shown(view)
    click(view, "Look again")
    assert "401 Unauthorized" in shown(view)
    assert "GET https://redbooth.com/api/3/me" in view.last


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", '"><img src=x>'])
def test_what_an_answer_says_is_escaped(app: Settings, word: str) -> None:
    assert app.client_id
    connect(requests.Session()).get(f"{API_URL}/tasks", params={"word": word}, headers={"X-Word": "a"}, timeout=5)
    assert word not in shown(HttpView())
