"""The playground: the flow on one screen, by buttons or by calls."""

import pytest
from practice import SECRET
from widgets.clicks import button, click, field, parts, saved, shown

from redbooth_nb.client.register import Settings
from redbooth_nb.client.store import TokenStore
from redbooth_nb.errors import NotYet
from redbooth_nb.widgets.exchange import ExchangeForm
from redbooth_nb.widgets.playground import Playground
from redbooth_nb.widgets.refresh import TokenCard


def of(kind: type, playground: Playground) -> list[object]:
    return [part for part in parts(playground) if isinstance(part, kind)]


def test_the_whole_flow_by_clicks(app: Settings, unattended: None) -> None:
    assert unattended is None
    playground = Playground()
    assert of(TokenCard, playground) == []
    click(playground, "New sign-in")
    assert "Allowed: <authorization code" in playground.text()
    click(playground, "Go on with the answer")
    assert of(ExchangeForm, playground)
    click(playground, "Send")
    field(playground, "GET https://redbooth.com/api/3").value = "/projects"
    click(playground, "Call")
    assert of(TokenCard, playground)
    assert "GET https://redbooth.com/api/3/projects" in shown(playground)
    token = TokenStore(app.folder).load()
    assert token is not None
    assert token.refresh_token is not None
    for secret in (SECRET, token.access_token.reveal(), token.refresh_token.reveal()):
        for text in (shown(playground), playground.text(), saved()):
            assert secret not in text


def test_the_whole_flow_by_calls_with_every_option(app: Settings, unattended: None) -> None:
    assert (app.source, unattended) != ("", "")
    playground = Playground()
    for option in ("PKCE", "a second proof in the redirect URI"):
        field(playground, option).value = True
    panel = playground.authorize()
    assert panel.sign_in.request.code_verifier is not None
    assert panel.sign_in.request.nonce
    playground.exchange()
    click(playground, "Send")
    assert playground.call("/me")["username"] == "ada"  # type: ignore[index]  # a user is a dict


def test_out_of_order_it_is_a_sentence(app: Settings) -> None:
    assert app.client_id
    playground = Playground()
    with pytest.raises(NotYet):
        playground.exchange()
    click(playground, "Go on with the answer")
    assert "Problem." in shown(playground)
    button(playground, "Call")
    click(playground, "Call")
    assert "There is no token yet." in shown(playground)
