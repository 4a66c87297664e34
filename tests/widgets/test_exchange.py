"""The exchange form: what will be sent is shown before it is sent, and it is sent once."""

import ipywidgets as w
import pytest
from practice import DECIDE, SECRET
from widgets.clicks import button, click, field, parts, saved, shown

from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets import exchange as module
from redbooth_nb.widgets.exchange import ExchangeForm


def token_requests() -> int:
    return sum(exchange.address.endswith("/oauth2/token") for exchange in transcript)


def assert_no_secret(form: ExchangeForm) -> None:
    secrets = [SECRET]
    secrets += [form.response.code.reveal()] if form.response.code else []
    if form.token is not None:
        assert form.token.refresh_token is not None
        secrets += [form.token.access_token.reveal(), form.token.refresh_token.reveal()]
    for secret in secrets:
        for text in (saved(), repr(form), form.text(), shown(form)):
            assert secret not in text


def test_without_a_button_it_only_shows(app: Settings, decide: DECIDE) -> None:
    decide(app)
    form = ExchangeForm(show_only=True)
    assert "client_secret" in shown(form)
    assert not any(isinstance(part, w.Text) for part in parts(form))
    assert "Send" not in [getattr(part, "description", "") for part in parts(form)]


def test_it_shows_every_field_before_it_sends(app: Settings, decide: DECIDE) -> None:
    response = decide(app)
    form = ExchangeForm()
    assert form.response.code == response.code
    for name in ("grant_type", "code", "redirect_uri", "client_id", "client_secret"):
        assert f"    {name} = " in form.text()
        assert f"    {name} = {field(form, name).value}\n" in f"{form.text()}\n"
    assert app.redirect_uri in shown(form)
    assert token_requests() == 0
    assert_no_secret(form)


def test_send_is_sent_once_whoever_clicks_how_often(app: Settings, decide: DECIDE) -> None:
    decide(app)
    form = ExchangeForm()
    click(form, "Send")
    click(form, "Send")
    assert button(form, "Send").disabled
    assert form.send() is form.token
    assert token_requests() == 1
    assert TokenStore(app.folder).load() == form.token
    assert "Done." in shown(form)
    assert_no_secret(form)


def test_a_code_that_is_too_old_is_a_sentence(app: Settings, sandbox: Sandbox, decide: DECIDE) -> None:
    decide(app)
    form = ExchangeForm()
    sandbox.advance(601)
    click(form, "Send")
    assert "Problem." in shown(form)
    assert "invalid_grant" in shown(form)
    assert form.token is None
    assert TokenStore(app.folder).load() is None
    assert_no_secret(form)


def test_a_denial_can_be_shown_but_not_sent(app: Settings, decide: DECIDE) -> None:
    form = ExchangeForm(decide(app, "deny"))
    assert "code = (none: there is nothing to exchange)" in form.text()
    click(form, "Send")
    assert "Problem. This answer contains no code to exchange." in shown(form)
    with pytest.raises(NotYet):
        form.send()
    assert token_requests() == 0


def test_without_an_answer_the_lesson_before_is_named(app: Settings) -> None:
    del app
    with pytest.raises(NotYet):
        ExchangeForm()


def test_the_answer_is_taken_apart_and_the_code_crossed_out(app: Settings, decide: DECIDE) -> None:
    form = ExchangeForm(decide(app))
    assert "<s>" not in shown(form)
    form.send()
    for name in ("access_token", "token_type", "expires_in", "refresh_token", "scope"):
        assert f">{name}</code>" in shown(form)
    assert str(form.response.code).strip("<>") in shown(form).partition("<s>")[2].partition("</s>")[0]


def test_with_pkce_the_verifier_is_among_the_fields_and_in_the_curl(app: Settings, decide: DECIDE) -> None:
    response = decide(app, pkce=True)
    verifier = response.request.code_verifier
    assert verifier is not None
    assert app.provider.link()  # so that the sandbox listens
    form = ExchangeForm(response)
    assert f"    code_verifier = {verifier}" in form.text()
    assert shown(form).count("code_verifier=$REDBOOTH_CODE_VERIFIER") == 2  # the guide's address, and the sandbox's
    form.send()
    assert verifier.reveal() not in saved() + shown(form) + form.text()
    assert "code_verifier" not in ExchangeForm(decide(app)).text()


@pytest.mark.parametrize(
    ("lives", "words"), [(7200, "in seconds (2 h)"), (60, "in seconds (1 min)"), (2, "in seconds (2 s)")]
)
def test_the_lifetime_shown_is_the_answers(
    app: Settings, sandbox: Sandbox, decide: DECIDE, lives: int, words: str
) -> None:
    sandbox.switch(token_lifetime=lives)
    form = ExchangeForm(decide(app))
    form.send()
    assert words in shown(form)
    assert "two hours" not in shown(form)


def test_what_the_answer_does_not_hold_is_not_called_none(
    app: Settings, decide: DECIDE, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Token.from_response({"access_token": "an-access-token"}, 1000.0)
    monkeypatch.setattr(module, "exchange", lambda _: token)
    form = ExchangeForm(decide(app))
    form.send()
    assert f"Done. {token.access_token} arrived and was saved." in shown(form)
    assert shown(form).count("(not given)") == 2  # refresh_token and expires_in
    assert "None" not in shown(form)
