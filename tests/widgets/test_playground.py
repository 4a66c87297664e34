"""The playground: the flow on one screen, by buttons or by calls."""

import threading
from collections.abc import Callable

import pytest
import requests
from practice import SECRET
from widgets.clicks import click, field, parts, saved, shown

from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import revoke
from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import TokenStore
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.widgets import live
from redbooth_nb.widgets.exchange import TokenRequest
from redbooth_nb.widgets.playground import Playground
from redbooth_nb.widgets.refresh import TokenCard


def of(kind: type, playground: Playground) -> list[object]:
    return [part for part in parts(playground) if isinstance(part, kind)]


def exchanges(playground: Playground) -> list[TokenRequest]:
    """Return the forms that exchange a code, without the one that refreshes."""
    return [part for part in parts(playground) if isinstance(part, TokenRequest) and part.response]


def test_the_whole_flow_by_clicks(app: Settings, unattended: None) -> None:
    assert unattended is None
    playground = Playground()
    assert of(TokenCard, playground) == []
    click(playground, "New sign-in")
    assert "Allowed: <authorization code" in playground.text()
    assert exchanges(playground)
    click(exchanges(playground)[0], "Send")
    field(playground, "GET https://redbooth.com/api/3").value = "/projects"
    click(playground, "Call")
    playground.update()
    playground.http.update()
    assert of(TokenCard, playground)
    assert "/api/3/projects" in shown(playground)
    token = TokenStore(app.folder).load()
    assert token is not None
    assert token.refresh_token is not None
    for secret in (SECRET, token.access_token.reveal(), token.refresh_token.reveal()):
        for text in (shown(playground), playground.text(), saved()):
            assert secret not in text


def test_the_whole_flow_by_calls_with_every_option(app: Settings, unattended: None) -> None:
    assert (app.source, unattended) != ("", "")
    playground = Playground()
    for option in ("PKCE", "a nonce in the redirect URI"):
        field(playground, option).value = True
    panel = playground.authorize()
    assert panel.sign_in.request.code_verifier is not None
    assert panel.sign_in.request.nonce
    click(exchanges(playground)[0], "Send")
    assert playground.call("/me")["username"] == "ada"  # type: ignore[index]  # a user is a dict


def test_it_goes_on_when_the_answer_comes_from_the_browser(app: Settings, callback_of: Callable[..., str]) -> None:
    assert app.client_id
    playground = Playground()
    panel = playground.authorize()
    arrived = threading.Event()
    playground._exchange.observe(lambda _: arrived.set(), names="children")
    assert panel.browser is not None
    panel.browser.use_tab()
    requests.get(callback_of(panel.sign_in.request), timeout=5)
    assert arrived.wait(5)
    (form,) = exchanges(playground)
    assert form.response is not None
    assert form.response.code == panel.response.code


@pytest.mark.usefixtures("unattended")
def test_a_second_round_shows_the_new_form_and_the_new_token(app: Settings) -> None:
    playground = Playground()
    assert playground.authorize(answer="deny").response.outcome == "denied"
    assert exchanges(playground) == []
    shown_tokens = []
    for _ in range(2):
        playground.authorize()
        (form,) = exchanges(playground)
        assert form.token is None
        form.send()
        playground.update()
        (card,) = of(TokenCard, playground)
        token = TokenStore(app.folder).load()
        assert token is not None
        assert card.text().startswith(str(token.access_token))  # type: ignore[attr-defined]
        shown_tokens.append(token.access_token)
    assert shown_tokens[0] != shown_tokens[1]


@pytest.mark.usefixtures("unattended")
def test_another_app_gets_forms_of_its_own(app: Settings, sandbox: Sandbox) -> None:
    """The form of the first app would refresh a token that the card does not show."""
    playground = Playground()
    playground.authorize()
    exchanges(playground)[0].send()
    playground.update()
    other = sandbox.seed_application("Another", app.redirect_uri)
    save_credentials(other["client_id"], other["client_secret"], app.redirect_uri)
    playground.update()
    assert of(TokenCard, playground) == of(TokenRequest, playground) == []
    playground.authorize()
    exchanges(playground)[0].send()
    playground.update()
    assert {form.settings.client_id for form in of(TokenRequest, playground)} == {other["client_id"]}  # type: ignore[attr-defined]


def test_whoever_turns_to_it_turns_to_its_parts(
    app: Settings, decide: Callable[[Settings], AuthorizationResponse]
) -> None:
    """What another notebook has changed is noticed by nobody before that."""
    exchange(decide(app))
    playground = Playground()
    (card,) = of(TokenCard, playground)
    turned_to: list[str] = []  # no cards: to show one in a failure would update it, without end
    with live._one_at_a_time:  # or a timer that is still running would update the card, too
        card.update = lambda: turned_to.append("card")  # type: ignore[attr-defined]
        playground._head._handle_custom_msg("look", [])
    assert turned_to == ["card"]


@pytest.mark.usefixtures("unattended")
def test_a_new_token_ends_what_was_said_of_the_old_one(app: Settings) -> None:
    playground = Playground()
    playground.authorize()
    exchanges(playground)[0].send()
    token = TokenStore(app.folder).require()
    revoke()
    TokenStore(app.folder).save(token)
    playground.update()
    click(playground, "Call")
    assert "Problem." in shown(playground)
    playground.authorize()
    playground._message.say("The permission is gone.", "problem")  # as if the call had failed after that
    exchanges(playground)[0].send()
    playground.update()
    assert "The permission is gone." not in shown(playground)
    playground.call()
    playground.update()
    assert "200 OK. The response is at the end" in shown(playground)


def test_out_of_order_it_is_a_sentence(app: Settings) -> None:
    assert app.client_id
    playground = Playground()
    assert exchanges(playground) == []
    click(playground, "Call")
    assert "There is no token yet." in shown(playground)
