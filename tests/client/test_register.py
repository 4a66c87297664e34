"""The credentials: where they are kept, what can be wrong with them, and who gets to see them."""

import os
import stat
import string
import sys
from io import StringIO
from pathlib import Path

import pytest
from client.machine import CLIENT_ID, CLIENT_SECRET, FaultyServer
from dotenv import dotenv_values
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from redbooth_nb.client import register
from redbooth_nb.client.register import (
    DEFAULT_REDIRECT_URI,
    CredentialsError,
    Settings,
    credential_problems,
    redirect_uri_problems,
    save_credentials,
)
from redbooth_nb.configuration import ConfigurationError
from redbooth_nb.errors import NotYet
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.traffic.transcript import transcript

OTHER_ID, OTHER_SECRET = "d2" * 32, "6f" * 32


def test_before_anything_is_registered_the_error_names_the_stage(machine: Path, live: None) -> None:
    del machine, live
    with pytest.raises(NotYet, match="No app is registered yet") as caught:
        Settings.load()
    assert caught.value.stage == "register"


def test_swapped_credentials_are_found_where_the_service_may_be_asked(sandbox: Sandbox) -> None:
    """R57: both look alike; nothing is saved, and neither is shown, as either may be the secret."""
    sandbox.seed_application("Mine", "http://127.0.0.1:9/callback", client_id=OTHER_ID, client_secret=OTHER_SECRET)
    with pytest.raises(CredentialsError, match="are swapped") as caught:
        save_credentials(OTHER_SECRET, OTHER_ID)
    assert OTHER_SECRET not in str(caught.value)
    assert OTHER_ID not in str(caught.value)
    with pytest.raises(NotYet):
        Settings.load()
    assert save_credentials(OTHER_ID, OTHER_SECRET).client_id == OTHER_ID


@pytest.mark.parametrize(
    ("client_id", "secret", "uri", "words"),
    [
        (OTHER_ID[:-1], OTHER_SECRET, DEFAULT_REDIRECT_URI, "no app with this Api Key"),
        (OTHER_ID, OTHER_SECRET[:-1], DEFAULT_REDIRECT_URI, "App secret does not belong to this Api Key"),
        (OTHER_ID, OTHER_SECRET, "http://localhost:8765/callback", "registered with a different Return URI"),
    ],
)
def test_what_fits_no_app_of_the_sandbox_is_named_and_not_saved(
    sandbox: Sandbox, client_id: str, secret: str, uri: str, words: str
) -> None:
    """R57: half a value looks like a whole one, so only the service can tell."""
    sandbox.seed_application("Mine", DEFAULT_REDIRECT_URI, client_id=OTHER_ID, client_secret=OTHER_SECRET)
    with pytest.raises(CredentialsError, match=words) as caught:
        save_credentials(client_id, secret, uri)
    assert OTHER_SECRET[:-1] not in str(caught.value)
    with pytest.raises(NotYet):
        Settings.load()
    assert len(transcript) == 0  # it is no step of the flow


def test_an_app_that_the_sandbox_has_forgotten_is_known(app: Settings, sandbox: Sandbox) -> None:
    assert Settings.load().wrong_field == ""
    sandbox.reset()
    assert Settings.load() == app
    assert app.wrong_field == "client_id"


def test_a_client_id_is_shown_shortened(sandbox: Sandbox) -> None:
    """R57: it may be the secret by mistake."""
    sandbox.seed_application("Mine", DEFAULT_REDIRECT_URI, client_id=OTHER_ID, client_secret=OTHER_SECRET)
    settings = save_credentials(OTHER_ID, OTHER_SECRET)
    assert settings.shown_client_id == f"{OTHER_ID[:8]}..."
    assert OTHER_ID not in repr(settings)


def test_what_is_saved_is_loaded(machine: Path, live: None) -> None:
    """For the real service that is the .env file, and the settings say so."""
    del live
    saved = save_credentials(f" {CLIENT_ID}\n", f"\t{CLIENT_SECRET} ", "http://127.0.0.1:9/callback")
    assert saved == Settings.load()
    assert (saved.client_id, saved.client_secret.reveal()) == (CLIENT_ID, CLIENT_SECRET)
    assert saved.redirect_uri == "http://127.0.0.1:9/callback"
    assert saved.source == str(machine / ".env")


def test_without_a_redirect_uri_it_is_the_guides(machine: Path, live: None) -> None:
    del live
    (machine / ".env").write_text(f"REDBOOTH_CLIENT_ID={CLIENT_ID}\nREDBOOTH_CLIENT_SECRET={CLIENT_SECRET}\n")
    assert Settings.load().redirect_uri == DEFAULT_REDIRECT_URI


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
@pytest.mark.parametrize("before", [None, 0o644])
def test_the_file_is_private_also_where_it_was_not(machine: Path, live: None, before: int | None) -> None:
    """R33: a new one, and an older one that others could read; what else stood in it stays."""
    del live
    file = machine / ".env"
    if before is not None:
        file.write_text("# mine\nOTHER=kept\n")
        file.chmod(before)
    mask = os.umask(0)
    try:
        save_credentials(CLIENT_ID, CLIENT_SECRET)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ("# mine\nOTHER=kept\n" in file.read_text()) == (before is not None)


def test_a_new_secret_replaces_the_old_one(machine: Path, live: None) -> None:
    del live
    save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert save_credentials(OTHER_ID, OTHER_SECRET).client_secret.reveal() == OTHER_SECRET
    assert CLIENT_SECRET not in (machine / ".env").read_text()


VISIBLE = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=40, max_size=80)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VISIBLE)
def test_any_secret_that_is_accepted_comes_back_unchanged(machine: Path, live: None, secret: str) -> None:
    """Quotes, backslashes, $ and # mean something in a .env file; a secret may hold them."""
    del machine, live
    try:
        saved = save_credentials(CLIENT_ID, secret)
    except CredentialsError:
        assert credential_problems(CLIENT_ID, secret, DEFAULT_REDIRECT_URI)
    else:
        assert saved.client_secret.reveal() == secret


@pytest.mark.parametrize(
    "secret", ["ends-in\\" * 6, "it's-" * 9, '"quoted"' * 6, "${HOME}#no-comment" * 3, "a\\'b" * 12]
)
def test_a_secret_with_signs_of_the_file_format_comes_back(machine: Path, live: None, secret: str) -> None:
    del machine, live
    assert save_credentials(CLIENT_ID, secret).client_secret.reveal() == secret


WRONG = [
    ("", CLIENT_SECRET, "Api Key (client id) is empty"),
    (CLIENT_ID, "", "App secret (client secret) is empty"),
    ("two words", CLIENT_SECRET, "contains a space"),
    (CLIENT_ID, "line\nbreak", "contains a space, a line break"),
    (CLIENT_ID, "\u201cquoted\u201d", "non-ASCII character"),
    ("your-api-key", CLIENT_SECRET, "still a placeholder"),
    (CLIENT_ID, "<secret>", "still a placeholder"),
    (CLIENT_ID, CLIENT_ID, "the same value"),
    ("http://127.0.0.1:1/callback", CLIENT_SECRET, "contains an address"),
    ("../../elsewhere", CLIENT_SECRET, "contains a slash"),
    ("..", CLIENT_SECRET, "contains a slash"),
    ("a\\b", CLIENT_SECRET, "contains a slash"),
]


@pytest.mark.parametrize(("client_id", "secret", "said"), WRONG)
def test_credentials_that_cannot_be_right_are_not_saved(
    machine: Path, live: None, client_id: str, secret: str, said: str
) -> None:
    """The client id is also the name of a folder, so it may not lead out of it."""
    del live
    with pytest.raises(CredentialsError) as caught:
        save_credentials(client_id, secret)
    assert said in caught.value.why
    assert not (machine / ".env").exists()
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "is empty"),
        ("callback", "relative"),
        ("/callback", "relative"),
        ("localhost:8765/callback", "relative"),
        ("http://127.0.0.1:8765/r\u00fcckruf", "non-ASCII"),
        ("www.example.com:443/callback", "relative"),
        ("http:///callback", "names no host"),
        ("http://example.com/callback", "plain http to reach another machine"),
        ("http://127.0.0.1/callback#x", "fragment"),
        ("http://127.0.0.1/call back", "space or a line break"),
        ("http://127.0.0.1\n/callback", "space or a line break"),
        ("http://[::1/callback", "not a valid address"),
        ("http://127.0.0.1:99999/callback", "not a valid address"),
        ("http://127.0.0.1/callback?tag=a&tag=b", "repeats a parameter"),
        ("http://127.0.0.1/callback?state=x", "one that Redbooth or this client adds"),
        ("http://127.0.0.1/callback?attempt=1", "such as code, state or attempt"),
    ],
)
def test_a_redirect_uri_that_cannot_be_right_is_named(uri: str, said: str) -> None:
    assert any(said in problem for problem in redirect_uri_problems(uri))


@pytest.mark.parametrize(
    "uri", [DEFAULT_REDIRECT_URI, "http://localhost", "http://[::1]:8080/x", "https://app.example/cb?a=1", "my-app://x"]
)
def test_a_redirect_uri_of_a_working_client_is_fine(uri: str) -> None:
    assert redirect_uri_problems(uri) == []


def test_the_environment_beats_the_file(machine: Path, live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting by itself, and an empty one counts as none."""
    del live
    save_credentials(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1:9/callback")
    monkeypatch.setenv("REDBOOTH_REDIRECT_URI", "http://127.0.0.1:10/callback")
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", " ")
    settings = Settings.load()
    assert (settings.redirect_uri, settings.client_secret.reveal()) == ("http://127.0.0.1:10/callback", CLIENT_SECRET)
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", OTHER_ID)
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", OTHER_SECRET)
    settings = Settings.load()
    assert (settings.client_id, settings.client_secret.reveal()) == (OTHER_ID, OTHER_SECRET)
    assert settings.source == "the environment"
    monkeypatch.delenv("REDBOOTH_CLIENT_ID")
    assert Settings.load().source == f"the environment and {machine / '.env'}"


def test_live_credentials_are_never_used_for_the_sandbox(
    machine: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from .env nor from the environment; what the sandbox's app has goes to its own file."""
    (machine / ".env").write_text(f"REDBOOTH_CLIENT_ID={CLIENT_ID}\nREDBOOTH_CLIENT_SECRET={CLIENT_SECRET}\n")
    before = (machine / ".env").read_text()
    with pytest.raises(NotYet):
        Settings.load()
    known = sandbox.seed_application("Mine", DEFAULT_REDIRECT_URI)
    saved = save_credentials(known["client_id"], known["client_secret"])
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", OTHER_ID)
    monkeypatch.setenv("REDBOOTH_CLIENT_SECRET", OTHER_SECRET)
    assert Settings.load() == saved
    assert (machine / ".env").read_text() == before
    assert "sandbox" in saved.folder.parts


def test_the_sandboxs_credentials_are_never_used_for_the_real_service(
    app: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDBOOTH_PROVIDER", "live")
    with pytest.raises(NotYet):
        Settings.load()
    save_credentials(OTHER_ID, OTHER_SECRET)
    assert Settings.load().folder != app.folder
    monkeypatch.setenv("REDBOOTH_PROVIDER", "sandbox")
    assert Settings.load() == app


def test_the_env_file_is_not_used_for_another_stand_in(machine: Path, faulty: FaultyServer) -> None:
    del faulty
    (machine / ".env").write_text(f"REDBOOTH_CLIENT_ID={CLIENT_ID}\nREDBOOTH_CLIENT_SECRET={CLIENT_SECRET}\n")
    with pytest.raises(NotYet):
        Settings.load()


def test_every_provider_and_app_has_its_own_folder(app: Settings, faulty: FaultyServer) -> None:
    """A token is only ever sent to whom it came from."""
    elsewhere = save_credentials(CLIENT_ID, CLIENT_SECRET)
    other_app = save_credentials(OTHER_ID, OTHER_SECRET)
    assert len({app.folder, elsewhere.folder, other_app.folder}) == 3
    assert app.client_id == elsewhere.client_id
    assert faulty.received == []


def test_a_file_that_cannot_be_written_is_named(machine: Path, live: None) -> None:
    del live
    (machine / ".env").mkdir()
    with pytest.raises(ConfigurationError, match="is not a regular file") as caught:
        save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert caught.value.remedy


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch, live: None) -> None:
    del live

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(register, "replace_file", full)
    with pytest.raises(CredentialsError, match=r"could not be saved in [^ ]*\.env") as caught:
        save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert "No space left on device" in caught.value.why
    assert caught.value.remedy


def test_wrong_credentials_in_the_file_are_named_with_the_page_to_copy_them_from(machine: Path, live: None) -> None:
    del live
    (machine / ".env").write_text(f"REDBOOTH_CLIENT_ID=your-api-key\nREDBOOTH_CLIENT_SECRET={CLIENT_SECRET}\n")
    with pytest.raises(CredentialsError, match=r"\.env cannot be right") as caught:
        Settings.load()
    assert "https://redbooth.com/oauth2/applications" in caught.value.remedy
    assert current_provider().kind == "live"


def test_what_the_environment_would_override_is_not_saved(
    machine: Path, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the old app would be used after a new one was saved, without a word."""
    del live
    monkeypatch.setenv("REDBOOTH_CLIENT_ID", OTHER_ID)
    with pytest.raises(CredentialsError, match="take precedence") as caught:
        save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert "REDBOOTH_CLIENT_ID" in caught.value.why
    assert not (machine / ".env").exists()
    assert save_credentials(OTHER_ID, CLIENT_SECRET).client_id == OTHER_ID


def test_credentials_are_on_the_disk_before_they_count(
    machine: Path, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the file is the old or the new one, never an empty one."""
    del live
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert synced == [(machine / ".env").stat().st_ino, machine.stat().st_ino]


OTHER_LINES = "# my app\r\nexport OTHER='1 2'\r\n\nREDBOOTH_CLIENT_ID=old\nEMPTY=\n\nLAST=\"x\\ny\""


def test_every_other_line_of_the_file_stays_as_it_is(machine: Path, live: None) -> None:
    del live
    (machine / ".env").write_bytes(OTHER_LINES.encode())
    save_credentials(CLIENT_ID, CLIENT_SECRET)
    text = (machine / ".env").read_bytes().decode()
    in_place = OTHER_LINES.replace("REDBOOTH_CLIENT_ID=old", f"REDBOOTH_CLIENT_ID='{CLIENT_ID}'")
    assert text.startswith(in_place + "\nREDBOOTH_CLIENT_SECRET='")
    assert Settings.load().client_id == CLIENT_ID


def test_a_file_that_cannot_be_read_afterward_is_not_written(machine: Path, live: None) -> None:
    """A quote that does not end would swallow what comes after it."""
    del live
    (machine / ".env").write_text("OTHER='never ends\n")
    with pytest.raises(CredentialsError, match="could not be saved") as caught:
        save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert "a line in it cannot be read" in caught.value.why
    assert (machine / ".env").read_text() == "OTHER='never ends\n"


def test_a_link_to_the_file_stays_one(machine: Path, live: None) -> None:
    del live
    (machine / "real.env").write_text("OTHER=1\n")
    (machine / ".env").symlink_to(machine / "real.env")
    save_credentials(CLIENT_ID, CLIENT_SECRET)
    assert (machine / ".env").is_symlink()
    assert CLIENT_ID in (machine / "real.env").read_text()


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_any_value_is_read_as_it_was_written(value: str) -> None:
    values = {"A": value, "B": value[::-1]}
    assert dotenv_values(stream=StringIO(register.with_values("C=1", values)), interpolate=False) == {
        "C": "1",
        **values,
    }
