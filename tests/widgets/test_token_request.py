"""The playground's token requests: what is edited is sent as shown, explained, and copied as code that runs."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w
import pytest
from client.machine import FaultyServer, reply
from practice import DECIDE, SECRET
from widgets.clicks import click, field, saved, shown

from redbooth_nb.client.errors import AuthorizeAgain, CodeAlreadySent, TokenEndpointError
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import revoke
from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.transcript import transcript
from redbooth_nb.widgets.exchange import TokenRequest
from redbooth_nb.widgets.flow_map import Snapshot
from redbooth_nb.widgets.playground import Playground

Run = Callable[..., str]


def sent() -> dict[str, str]:
    return {name: str(value) for name, value in transcript.last.fields}


def kept(app: Settings) -> Token:
    token = TokenStore(app.folder).require()
    assert token.refresh_token is not None
    return token


def secret(value: Secret | None) -> str:
    assert value is not None
    return value.reveal()


def code_in(view: w.Widget) -> str:
    """Return the Python code that the view offers to copy."""
    (found,) = re.findall(r"<summary>As Python.*?<pre[^>]*>(.*?)</pre>", shown(view), re.DOTALL)
    return html.unescape(found)


@pytest.fixture
def run(machine: Path) -> Run:
    """Return a function that runs code with `redbooth-nb run`, secrets in the environment or in `.env`."""

    def run(code: str, *, in_file: bool = False, **secrets: str) -> str:
        (machine / "app.py").write_text(code)
        if in_file:
            (machine / ".env").write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
        command = [sys.executable, "-m", "redbooth_nb", "run", "app.py"]
        environment = os.environ | ({} if in_file else secrets)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)  # noqa: S603
        assert [value for value in (SECRET, *secrets.values()) if value in code + done.stdout + done.stderr] == []
        return done.stdout + done.stderr

    return run


def test_as_shown_it_is_the_clients_own_request(app: Settings, decide: DECIDE) -> None:
    form = TokenRequest(app, decide(app))
    before = dict(line.strip().split(" = ", 1) for line in form.text().splitlines()[1:])
    click(form, "Send")
    assert sent() == before
    assert "arrived and were saved" in shown(form)
    again = TokenRequest(app)
    before = dict(line.strip().split(" = ", 1) for line in again.text().splitlines()[1:])
    click(again, "Send this request")
    assert sent() == before
    assert again.token == kept(app)
    assert f"refresh_token = {again.token.refresh_token}" in again.text()  # the next one, for the next request


def test_every_parameter_of_the_exchange_can_be_edited(app: Settings, decide: DECIDE) -> None:
    response = decide(app, pkce=True)
    form = TokenRequest(app, response)
    for name in form.parameters.own:
        form.change(name, "edited")
        with pytest.raises(TokenEndpointError):
            form.send()
        assert sent()[name] == str(form.parameters.values[name]).replace("other ", "")
        assert "(changed)" in shown(form)
        form.change(name, "")
        assert "left out" in shown(form)
        with pytest.raises(TokenEndpointError):
            form.send()
        assert name not in sent()
        form.reset()
    assert "(changed)" not in shown(form)
    assert form.send() == kept(app)  # no wrong request used up the code


def test_every_parameter_of_the_refresh_can_be_edited(app: Settings, decide: DECIDE) -> None:
    token = exchange(decide(app))
    form = TokenRequest(app)
    for name in form.parameters.own:
        for value in ("edited", ""):
            form.change(name, value)
            with pytest.raises((TokenEndpointError, AuthorizeAgain)):
                form.send()
            assert sent().get(name, "") == str(form.parameters.values[name]).replace("other ", "")
        form.reset()
    assert not TokenStore(app.folder).interrupted()  # a plain no: nothing is at stake any more
    assert kept(app) == token
    assert form.send() == kept(app) != token


def test_a_wrong_answer_is_explained_until_the_next_one(app: Settings, decide: DECIDE) -> None:
    form = TokenRequest(app, decide(app))
    field(form, "client_secret").value = "a-guessed-secret"
    click(form, "Send")
    assert "invalid_client" in shown(form)
    assert "What to do:" in shown(form)
    click(form, "Reset the parameters")
    form.send()
    assert "invalid_client" not in shown(form)


def test_an_edited_request_that_is_right_is_saved_and_its_code_is_used(app: Settings, decide: DECIDE) -> None:
    response = decide(app)
    form = TokenRequest(app, response)
    form.parameters.change("scope", "all")
    assert form.send() == kept(app)
    assert sent()["scope"] == "all"
    assert not Snapshot(app).code_ready
    with pytest.raises(TokenEndpointError):  # an experiment may send it again
        form.send()
    with pytest.raises(CodeAlreadySent):
        TokenRequest(app, response).send()


def test_an_edited_refresh_that_is_right_replaces_the_stored_pair(app: Settings, decide: DECIDE) -> None:
    old = exchange(decide(app))
    form = TokenRequest(app)
    form.parameters.change("scope", "all")
    new = form.send()
    assert new == kept(app) != old
    assert not TokenStore(app.folder).interrupted()
    form.change("refresh_token", str(old.refresh_token))  # a fingerprint stands for its secret
    assert form.parameters.values["refresh_token"] == old.refresh_token
    click(form, "Send this request")
    assert kept(app) == new
    assert "Problem" in shown(form)
    form.reset()
    assert "Problem" not in shown(form)  # it was about another request


@pytest.mark.parametrize("answer", ["broken", '{"error": "server_error"}'])
def test_no_answer_to_an_edited_refresh_leaves_the_mark(
    app_at_faulty: Settings, faulty: FaultyServer, stored: Token, answer: str
) -> None:
    assert stored
    faulty.answers = [reply(500, answer)]
    form = TokenRequest(app_at_faulty)
    form.parameters.change("scope", "all")
    with pytest.raises(TokenEndpointError):
        form.send()
    assert TokenStore(app_at_faulty.folder).interrupted()


def test_what_is_typed_over_a_secret_is_never_saved(app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    form = TokenRequest(app)
    for name in ("refresh_token", "client_secret"):
        field(form, name).value = "typed-by-hand-77"
        assert not field(form, name).continuous_update
        field(form, "client_id").value = SECRET  # pasted into the wrong field
        for text in (saved(), shown(form), form.text(), repr(form)):
            assert "typed-by-hand-77" not in text
            assert SECRET not in text
    revoke(app)
    form.update()
    form.reset()
    field(form, "refresh_token").value = "typed-without-a-token"
    assert "typed-without-a-token" not in saved()


def test_a_short_secret_is_sent_as_it_was_typed(app: Settings, decide: DECIDE) -> None:
    """It is too short for the kit to know it again in an answer."""
    form = TokenRequest(app, decide(app))
    field(form, "client_secret").value = "x1"
    assert form.parameters.plain["client_secret"] == "x1"
    assert field(form, "client_secret").value.startswith("<other client secret ...")
    field(form, "client_secret").value = field(form, "client_secret").value
    assert form.parameters.plain["client_secret"] == "x1"


def test_another_notebooks_refresh_is_followed_and_edits_stay(app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    form = TokenRequest(app)
    form.change("client_id", "edited")
    TokenRequest(app).send()
    form.update()
    assert form.parameters.values["refresh_token"] == kept(app).refresh_token
    assert form.parameters.values["client_id"] == "edited"


def test_the_code_exchanges_and_refreshes(app: Settings, decide: DECIDE, run: Run, machine: Path) -> None:
    response = decide(app, pkce=True)
    form = TokenRequest(app, response)
    secrets = {
        "REDBOOTH_AUTHORIZATION_CODE": secret(response.code),
        "REDBOOTH_CODE_VERIFIER": secret(response.request.code_verifier),
    }
    assert "Saved in token.json: access_token" in run(code_in(form), in_file=True, **secrets)
    assert (machine / "token.json").stat().st_mode & 0o777 == 0o600
    (machine / ".env").unlink()
    old = exchange(decide(app))
    assert "Saved in token.json: access_token" in run(
        code_in(TokenRequest(app)), REDBOOTH_REFRESH_TOKEN=secret(old.refresh_token)
    )


def test_the_code_of_an_edited_request_sends_what_is_shown(
    app_at_faulty: Settings, faulty: FaultyServer, stored: Token, run: Run
) -> None:
    form = TokenRequest(app_at_faulty)
    form.change("grant_type", "it's {odd}")
    form.change("client_id", "")
    form.change("client_secret", "typed-by-hand-77")
    faulty.answers = [reply(400, '{"error": "unsupported_grant_type"}')]
    said = run(
        code_in(form),
        REDBOOTH_REFRESH_TOKEN=secret(stored.refresh_token),
        REDBOOTH_OTHER_CLIENT_SECRET="typed-by-hand-77",  # not the app's own
    )
    assert "400 unsupported_grant_type" in said
    with pytest.raises(TokenEndpointError):
        form.send()
    by_code, by_form = (asked["fields"] for asked in faulty.received[-2:])
    assert by_code == by_form == form.parameters.plain


@pytest.mark.usefixtures("unattended")
def test_the_code_of_sign_in_and_call(app: Settings, sandbox: Sandbox, decide: DECIDE, run: Run) -> None:
    playground = Playground()
    for option in ("PKCE", "a nonce in the redirect URI"):
        field(playground, option).value = True
    link = run(code_in(playground)).strip()
    assert "code_challenge=" in link
    assert "attempt%3D" in link
    for part in (app.client_id, "state=", "response_type=code"):
        assert part in link
    token = exchange(decide(app))
    playground.update()
    call = code_in(playground._call_code)
    assert run(call, REDBOOTH_ACCESS_TOKEN=secret(token.access_token)).startswith("200 {")
    sandbox.advance(8000)
    assert run(call, REDBOOTH_ACCESS_TOKEN=secret(token.access_token)).startswith("401")


def test_a_refused_call_is_explained(app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    playground = Playground()
    field(playground, "GET https://redbooth.com/api/3").value = "/nothing/here"
    click(playground, "Call")
    assert "404 Not Found: There is nothing at this address" in shown(playground)
    playground.call("/me")
    assert "There is nothing at this address" not in shown(playground)


def test_an_error_page_in_the_window_is_explained(app: Settings) -> None:
    panel = Playground().authorize()
    assert panel.browser is not None
    panel.browser.go_to(panel.sign_in.request.url.replace(app.client_id, "another"))
    assert "Redbooth does not recognize this client_id." in shown(panel.browser)
    panel.browser.go_to(panel.sign_in.request.url)
    assert "does not recognize" not in shown(panel.browser)


def test_the_options_and_reset_say_what_they_do(app: Settings, decide: DECIDE) -> None:
    exchange(decide(app))
    playground = Playground()
    for words in (
        "PKCE ties the code to this sign-in",
        "The nonce is a second random value",
        "Your app, the stored tokens",
    ):
        assert words in shown(playground)
    form = playground._refresh.children[-1]
    form.change("client_id", "edited")
    click(playground, "Reset")
    assert not form.parameters.changed
