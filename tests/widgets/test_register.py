"""The registration form: good, bad and empty input, and a secret that does not stay in the field."""

from pathlib import Path

import pytest
from practice import CLIENT_ID, SECRET
from provider.sandbox.visitor import registered
from widgets.clicks import click, field, saved, shown

from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, CredentialsError, Settings, save_credentials
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.widgets import register
from redbooth_nb.widgets.register import RegisterForm

ID, KEY, URI = "Api Key (client id)", "App secret", "Return URI"


def fill(form: RegisterForm, client_id: str, secret: str, redirect_uri: str = "") -> None:
    """Type into the form."""
    field(form, ID).value = client_id
    field(form, KEY).value = secret
    if redirect_uri:
        field(form, URI).value = redirect_uri


def test_it_begins_with_what_to_do(sandbox: Sandbox) -> None:
    form = RegisterForm("Ada's <app>")
    assert form.browser is not None
    assert form.browser.text() == "A browser window that opens https://redbooth.com/oauth2/applications/new"
    form.browser.use_tab()
    assert f"{sandbox.start()}/oauth2/applications/new" in shown(form)
    assert "Ada&#39;s &lt;app&gt;" in shown(form)
    assert "<app>" not in shown(form)
    assert "credentials.env" in shown(form)
    assert "No app is registered yet." in form.text()
    assert "Problem" not in shown(form)


def test_it_follows_what_is_registered_elsewhere_and_says_when_it_is_gone(app: Settings, sandbox: Sandbox) -> None:
    form = RegisterForm()
    other = sandbox.seed_application("Another", app.redirect_uri)
    save_credentials(other["client_id"], other["client_secret"], app.redirect_uri)
    form.update()
    assert f"Registered: client id {other['client_id'][:8]}..." in shown(form)
    sandbox.reset()
    form.update()
    assert "Problem." in shown(form)
    assert "Redbooth does not know this app" in shown(form)


def test_an_empty_form_asks_to_copy_and_not_to_copy_again(sandbox: Sandbox) -> None:  # noqa: ARG001
    form = RegisterForm()
    click(form, "Save")
    assert "Copy the Api Key and the App secret" in shown(form)
    assert "again" not in shown(form)


def test_good_credentials_are_saved_and_the_secret_leaves_the_field(sandbox: Sandbox) -> None:
    sandbox.seed_application("Mine", DEFAULT_REDIRECT_URI, client_id=CLIENT_ID, client_secret=SECRET)
    form = RegisterForm()
    fill(form, CLIENT_ID, SECRET)
    assert "So far so good" in shown(form)
    assert SECRET not in saved()  # before the click, too
    assert field(form, KEY).placeholder.startswith("<client secret ...")
    click(form, "Save")
    settings = Settings.load()
    assert (settings.client_id, settings.client_secret.reveal()) == (CLIENT_ID, SECRET)
    assert field(form, KEY).value == ""
    assert f"Registered: client id {CLIENT_ID[:8]}..." in shown(form)
    for text in (saved(), repr(form), str(form), form.text()):
        assert SECRET not in text


@pytest.mark.parametrize(
    ("client_id", "secret", "redirect_uri", "words"),
    [
        ("", "", "", "Problem."),
        (CLIENT_ID, "", "", "App secret"),
        ("", SECRET, "", "Api Key"),
        (SECRET, SECRET, "", "the same value"),
        (CLIENT_ID, SECRET, "/callback", "relative"),
        (CLIENT_ID, SECRET, "https://my-app.test/#back", "fragment"),
        ("http://127.0.0.1:8765/callback", SECRET, "", "mixed up"),
    ],
)
@pytest.mark.usefixtures("sandbox")
def test_bad_ones_are_not_saved_and_not_kept_in_the_field(
    client_id: str, secret: str, redirect_uri: str, words: str
) -> None:
    form = RegisterForm()
    fill(form, client_id, secret, redirect_uri)
    click(form, "Save")
    assert "Problem." in shown(form)
    assert words in shown(form)
    assert field(form, KEY).value == ""
    assert ("The App secret was cleared" in shown(form)) is (secret != "")
    assert form.settings is None
    assert "No app is registered yet." in form.text()
    if secret != client_id:
        assert SECRET not in saved()


@pytest.mark.usefixtures("app")
def test_the_form_for_another_app_can_be_left_again() -> None:
    form = RegisterForm()
    before = form.children
    click(form, "Register another app")
    assert form.browser in form.children
    click(form, "Keep the current app")
    assert form.children == before
    assert "Registered: client id" in shown(form)


@pytest.mark.parametrize("place", [ID, URI])
def test_a_secret_in_the_wrong_field_does_not_stay_there(sandbox: Sandbox, place: str) -> None:
    sandbox.seed_application("Mine", DEFAULT_REDIRECT_URI, client_id=CLIENT_ID, client_secret=SECRET)
    form = RegisterForm()
    fill(form, CLIENT_ID, CLIENT_ID if place == ID else SECRET)
    field(form, place).value = SECRET
    click(form, "Save")
    assert "Nothing was saved" in shown(form)
    assert SECRET not in saved()
    assert field(form, URI).value == DEFAULT_REDIRECT_URI


@pytest.mark.usefixtures("sandbox")
def test_a_typing_mistake_is_told_at_once() -> None:
    form = RegisterForm()
    field(form, ID).value = "not a key"
    assert "contains a space" in shown(form)
    field(form, ID).value = CLIENT_ID
    assert "So far so good. Once the App secret is entered, too, click Save." in shown(form)
    field(form, URI).value = "http://my-app.test/callback"
    assert "plain http to reach another machine" in shown(form)


def test_a_double_click_saves_once(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    sandbox.seed_application("Mine", DEFAULT_REDIRECT_URI, client_id=CLIENT_ID, client_secret=SECRET)
    saves: list[str] = []
    real = register.save_credentials

    def counted(*credentials: str) -> Settings:
        saves.append(credentials[0])
        return real(*credentials)

    monkeypatch.setattr(register, "save_credentials", counted)
    form = RegisterForm()
    fill(form, CLIENT_ID, SECRET)
    click(form, "Save")
    click(form, "Save")
    assert saves == [CLIENT_ID]
    assert "Problem" not in shown(form)  # the field is empty now, which is no mistake


def test_an_app_that_is_there_is_shown(app: Settings) -> None:
    form = RegisterForm()
    assert form.settings == app
    assert f"Registered: client id {CLIENT_ID[:8]}..." in shown(form)
    assert SECRET not in saved() + repr(form)


def test_by_function_call_it_raises(app: Settings) -> None:
    form = RegisterForm()
    with pytest.raises(CredentialsError, match="Nothing was saved"):
        form.save("YOUR_ID", "YOUR_SECRET")
    assert Settings.load() == form.settings == app


@pytest.mark.usefixtures("unattended")
def test_with_nobody_there_the_kit_registers_once(sandbox: Sandbox) -> None:
    form = RegisterForm("Unattended app")
    assert RegisterForm("Unattended app").settings == form.settings
    assert [app["name"] for app in registered(sandbox)] == ["Unattended app"]
    assert "Registered: client id" in form.text()


@pytest.mark.usefixtures("live", "unattended")
def test_on_redbooth_nothing_is_registered_for_anybody(machine: Path) -> None:
    form = RegisterForm()
    assert form.settings is None
    assert "https://redbooth.com/oauth2/applications/new" in shown(form)
    assert f"<code>~/{machine.name}/.env</code>" in shown(form)
    fill(form, CLIENT_ID, SECRET)
    click(form, "Save")
    assert SECRET in (machine / ".env").read_text()
    assert SECRET not in saved()


@pytest.mark.usefixtures("live")
def test_a_file_that_cannot_be_written_is_a_sentence(machine: Path) -> None:
    form = RegisterForm()
    (machine / ".env").mkdir()
    fill(form, CLIENT_ID, SECRET)
    click(form, "Save")
    assert "Problem." in shown(form)
    assert SECRET not in saved()
