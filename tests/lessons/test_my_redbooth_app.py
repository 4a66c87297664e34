"""The app to take home, as a process of its own, under every switch of the sandbox and in every plight."""

import errno
import json
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from client.machine import FaultyServer, reply
from practice import SECRET

from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.wire import connect
from redbooth_nb.lessons import my_redbooth_app
from redbooth_nb.lessons.source import SOLUTION
from redbooth_nb.lessons.take_home import NAME
from redbooth_nb.provider.addresses import ORIGIN
from redbooth_nb.provider.sandbox import Sandbox
from redbooth_nb.provider.visitor import press

GREETING = "Hello, Ada. Some of your open tasks:"
PLAIN = {"REDBOOTH_CLIENT_ID": "c1" * 32, "REDBOOTH_REDIRECT_URI": "http://127.0.0.1:1/callback"}
UNUSABLE = "Something in .env, my_redbooth_token.json or Redbooth's response cannot be used:"
MINUTE = 60  # seconds; a run takes about one
SWITCHES = [
    {},
    {"state": "dropped"},
    {"refresh_revokes_old": "on first use"},
    {"style": "2015"},
    {"style": "2015", "state": "dropped"},
    {"token_lifetime": 2, "code_lifetime": 2},
]


class App:
    """The app in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token_file = folder / "my_redbooth_token.json"
        self.printed = ""
        (folder / NAME).write_text(SOLUTION, encoding="utf-8")

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start it: by default delivered to the sandbox, with a browser that opens nothing."""
        return subprocess.Popen(  # noqa: S603  (our own command)
            [sys.executable, *(command or ("-m", "redbooth_nb", "run")), NAME],
            cwd=self.folder,
            env=os.environ | {"BROWSER": "true", "PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ended(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        """Wait for its end; return exit status and what it printed. Never a traceback, never a secret."""
        printed, _ = process.communicate(timeout=MINUTE)
        assert "Traceback" not in printed, printed
        self.printed += printed
        assert SECRET not in self.printed
        return process.returncode, printed

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """Run it where the kit presses Allow."""
        return self.ended(self.start(*command, REDBOOTH_UNATTENDED="1", **environment))

    def store(self, access_token: str, refresh_token: str) -> None:
        """Let it have signed in with the app of `PLAIN`."""
        self.token_file.touch(0o600)
        tokens = {"access_token": access_token, "refresh_token": refresh_token}
        self.token_file.write_text(json.dumps({"client_id": PLAIN["REDBOOTH_CLIENT_ID"], **tokens}))

    def token(self) -> dict[str, str]:
        """Return what it stored."""
        return dict(json.loads(self.token_file.read_text()))


@pytest.fixture
def take_home(machine: Path) -> Iterator[App]:
    """Return the app; in the end no token that it ever stored was printed, and its file was for its owner alone."""
    app = App(machine)
    yield app
    if app.token_file.is_file():
        assert app.token_file.stat().st_mode & 0o777 == 0o600
        for name in ("access_token", "refresh_token"):
            assert json.loads(app.token_file.read_text() or "{}").get(name, "absent") not in app.printed
    assert not app.token_file.with_suffix(".part").exists()


@contextmanager
def signing_in(take_home: App) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start the app and yield it with the link that it printed; a test plays the browser."""
    process = take_home.start()
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("Sign in: "))
        yield process, line.removeprefix("Sign in: ").strip()
    finally:
        process.kill()
        process.wait()


def take_back() -> None:
    """Revoke the permission, on Redbooth's own page."""
    browser, page = connect(requests.Session()), f"{ORIGIN}/oauth2/authorized_applications"
    token, *_ = re.findall(r'name="authenticity_token" value="([^"]+)"', browser.get(page, timeout=20).text)
    fields = {"_method": "delete", "authenticity_token": token}
    assert browser.post(f"{page}/1", fields, timeout=20).ok


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_it_signs_in_stays_signed_in_and_refreshes(
    take_home: App, app: Settings, sandbox: Sandbox, switches: dict[str, object]
) -> None:
    sandbox.switch(**switches)
    assert take_home.run() == (0, take_home.printed)
    assert GREETING in take_home.printed
    first = take_home.token()
    status, printed = take_home.run()
    assert (status, GREETING in printed) == (0, True), printed
    sandbox.advance(7300)
    status, printed = take_home.run()
    assert (status, GREETING in printed) == (0, True), printed
    assert "sign in" not in printed
    assert take_home.token()["refresh_token"] != first["refresh_token"]
    assert take_home.token()["client_id"] == app.client_id


@pytest.mark.parametrize("style", ["5.5", "2015"])
@pytest.mark.parametrize("later", [0, 7300], ids=["at once", "after two hours"])
@pytest.mark.usefixtures("app")
def test_a_permission_taken_back_means_that_it_asks_again(
    take_home: App, sandbox: Sandbox, later: int, style: str
) -> None:
    sandbox.switch(style=style)
    take_home.run()
    take_back()
    sandbox.advance(later)
    status, printed = take_home.run()
    assert (status, GREETING in printed) == (0, True), printed
    assert "Redbooth no longer accepts the stored token. Please sign in again." in printed


@pytest.mark.parametrize("style", ["5.5", "2015"])
@pytest.mark.usefixtures("app")
def test_a_refresh_token_that_is_dead_means_that_it_asks_again(take_home: App, sandbox: Sandbox, style: str) -> None:
    """Another program used it up, for example."""
    sandbox.switch(style=style)
    take_home.run()
    take_home.token_file.write_text(json.dumps(take_home.token() | {"refresh_token": "dead-refresh-token"}))
    sandbox.advance(7300)
    status, printed = take_home.run()
    assert (status, GREETING in printed) == (0, True), printed
    assert "Redbooth no longer accepts the stored token. Please sign in again." in printed


@pytest.mark.parametrize("state", ["echoed", "dropped"])
def test_deny_is_a_sentence(take_home: App, app: Settings, sandbox: Sandbox, state: str) -> None:
    sandbox.switch(state=state)
    with signing_in(take_home) as (process, link):
        requests.get(press(requests.Session(), link, app.redirect_uri, "deny"), timeout=20)
        assert take_home.ended(process) == (
            1, "You did not allow access. Run the app again if you change your mind.\n",
        )  # fmt: skip
    assert not take_home.token_file.exists()


@pytest.mark.parametrize("state", ["echoed", "dropped"])
def test_only_the_answer_to_its_own_request_counts(take_home: App, app: Settings, sandbox: Sandbox, state: str) -> None:
    """A favicon, forged answers and a connection that says nothing come first; the wait goes on."""
    sandbox.switch(state=state)
    with signing_in(take_home) as (process, link):
        origin = "http://" + urlsplit(app.redirect_uri).netloc
        with socket.create_connection(("127.0.0.1", urlsplit(origin).port)):
            for path in (
                "/favicon.ico",
                "/callback",
                "/callback?code=stolen",
                "/callback?code=stolen&state=",
                "/callback?code=stolen&state=wrong",
                "/callback?code=stolen&attempt=wrong",
                "/callback?error=access_denied&state=wrong&attempt=",
            ):
                assert requests.get(origin + path, timeout=20).status_code == 404
        requests.get(press(requests.Session(), link, app.redirect_uri, "allow"), timeout=20)
        status, printed = take_home.ended(process)
    assert (status, GREETING in printed) == (0, True), printed


def test_an_error_from_redbooth_is_a_sentence(take_home: App, app: Settings) -> None:
    with signing_in(take_home) as (process, link):
        callback = press(requests.Session(), link, app.redirect_uri, "allow")
        ours = re.sub(r"code=[^&]*", "error=temporarily_unavailable&error_description=%1b[31m", callback)
        requests.get(ours, timeout=20)
        assert take_home.ended(process) == (
            1, "Redbooth refused (temporarily_unavailable). Run the app again. If that doesn't help, check .env.\n",
        )  # fmt: skip


def test_an_error_that_repeats_a_secret_is_not_printed(take_home: App, app: Settings) -> None:
    with signing_in(take_home) as (process, link):
        callback = press(requests.Session(), link, app.redirect_uri, "allow")
        requests.get(re.sub(r"code=[^&]*", f"error=Bad+{SECRET}", callback), timeout=20)
        status, printed = take_home.ended(process)
    assert (status, printed.startswith("Redbooth refused (?). Run the app again.")) == (1, True), printed


def test_a_redirect_uri_with_a_query_keeps_it() -> None:
    address = my_redbooth_app.return_address({"redirect_uri": "http://127.0.0.1:8765/callback?x=1"}, "s&")
    assert address == "http://127.0.0.1:8765/callback?x=1&attempt=s%26"


def test_a_full_disk_is_not_called_a_busy_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python names no file when writing fails."""
    monkeypatch.setattr("dotenv.dotenv_values", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(SystemExit, match=r"^my_redbooth_token.json: No space left on device\.$"):
        runpy.run_path(str(my_redbooth_app.__file__), run_name="__main__")


def test_a_spent_code_is_a_sentence(take_home: App, app: Settings) -> None:
    with signing_in(take_home) as (process, link):
        callback = press(requests.Session(), link, app.redirect_uri, "allow")
        requests.get(re.sub(r"code=[^&]*", "code=spent", callback), timeout=20)
        status, printed = take_home.ended(process)
    assert (status, "Redbooth refused (invalid_grant)" in printed) == (1, True), printed


@pytest.mark.usefixtures("app")
def test_ctrl_c_ends_the_wait_with_a_word(take_home: App) -> None:
    with signing_in(take_home) as (process, _):
        process.send_signal(signal.SIGINT)
        status, printed = take_home.ended(process)
    assert (status, printed) == (1, "Stopped.\n")


def test_a_busy_port_is_told_with_the_remedy(take_home: App, app: Settings) -> None:
    with socket.create_server(("127.0.0.1", urlsplit(app.redirect_uri).port or 0)):
        status, printed = take_home.run()
    assert status == 1
    assert printed == (
        "The port in REDBOOTH_REDIRECT_URI: Address already in use. "
        "Cancel any other sign-in, or close the program that uses the port, and try again.\n"
    )


@pytest.mark.usefixtures("app")
def test_too_many_requests_are_a_sentence(take_home: App, sandbox: Sandbox) -> None:
    sandbox.switch(rate_limited=True)
    assert take_home.run() == (1, "Redbooth returned 429. Try again later.\n")
    sandbox.switch(rate_limited=False)
    assert take_home.run()[0] == 0


def test_the_token_of_another_app_is_never_sent(take_home: App, app: Settings, sandbox: Sandbox) -> None:
    take_home.run()
    other = sandbox.seed_application("Another", app.redirect_uri)
    save_credentials(other["client_id"], other["client_secret"], app.redirect_uri)
    before = take_home.token()
    assert take_home.run()[0] == 0
    after = take_home.token()
    assert (before["client_id"], after["client_id"]) == (app.client_id, other["client_id"])


def test_after_the_state_folder_was_deleted_a_sentence_says_that_no_app_is_registered(
    take_home: App, app: Settings, sandbox: Sandbox
) -> None:
    take_home.run()
    sandbox.stop()
    shutil.rmtree(app.folder.parents[1])
    status, printed = take_home.run()
    assert (status, "No app is registered yet." in printed) == (1, True), printed


@pytest.mark.parametrize("content", [b"", b'{"access_token": "half', b"[]", b"{}"])
@pytest.mark.usefixtures("app")
def test_a_damaged_token_file_is_a_sentence(take_home: App, content: bytes) -> None:
    take_home.token_file.write_bytes(content)
    status, printed = take_home.run()
    assert (status, printed) == (
        1, "my_redbooth_token.json is damaged. Delete it, then run the app again to sign in.\n",
    )  # fmt: skip
    assert take_home.token_file.read_bytes() == content
    take_home.token_file.unlink()


@pytest.mark.usefixtures("app")
def test_a_token_file_that_cannot_be_written_is_a_sentence(take_home: App) -> None:
    take_home.token_file.with_suffix(".part").mkdir()
    status, printed = take_home.run()
    assert (status, printed) == (1, "my_redbooth_token.part: Is a directory.\n")
    take_home.token_file.with_suffix(".part").rmdir()


def test_by_plain_python_it_says_what_is_missing_in_the_settings(take_home: App) -> None:
    status, printed = take_home.run("-B")
    names = "REDBOOTH_CLIENT_ID, REDBOOTH_CLIENT_SECRET, REDBOOTH_REDIRECT_URI"
    assert (status, printed) == (
        1, f"Put {names} into .env. You can find them at https://redbooth.com/oauth2/applications\n",
    )  # fmt: skip
    (take_home.folder / ".env").write_text(
        f"REDBOOTH_CLIENT_ID=id\nREDBOOTH_CLIENT_SECRET='{SECRET}${{HOME}}'\nREDBOOTH_REDIRECT_URI=https://example.org/"
    )
    status, printed = take_home.run("-B")
    assert status == 1
    assert "must begin with http://127.0.0.1: and the port" in printed


@pytest.mark.usefixtures("app")
def test_a_connection_that_breaks_while_it_waits_is_no_news(take_home: App) -> None:
    with signing_in(take_home) as (process, link):
        port = urlsplit(parse_qs(urlsplit(link).query)["redirect_uri"][0]).port
        with socket.create_connection(("127.0.0.1", port or 0)) as odd:
            odd.sendall(b"GET [x HTTP/1.1\r\n\r\n")
            assert odd.recv(1) == b""
        process.terminate()
        assert take_home.ended(process)[1] == ""


def test_by_plain_python_a_file_that_is_no_text_is_named_and_shows_no_secret(take_home: App) -> None:
    (take_home.folder / ".env").write_bytes(f"REDBOOTH_CLIENT_SECRET={SECRET}\n# caf\u00e9\n".encode("latin-1"))
    status, printed = take_home.run("-B")
    assert (status, printed.startswith(f"{UNUSABLE} UnicodeDecodeError: 'utf-8' codec")) == (1, True), printed


def test_by_plain_python_without_a_network_it_says_so(take_home: App) -> None:
    """And it goes to the real redbooth.com: here a proxy that is not there keeps it away."""
    take_home.store("canary-access", "canary-refresh")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "REDBOOTH_CLIENT_SECRET": SECRET}
    assert take_home.run("-B", **PLAIN, **nowhere) == (
        1,
        "Redbooth gave no usable response (ProxyError). Check the network.\n",
    )


def test_by_plain_python_a_missing_file_of_certificates_is_named(take_home: App) -> None:
    take_home.store("canary-access", "canary-refresh")
    wrong = {"REQUESTS_CA_BUNDLE": "/nowhere.pem", "REDBOOTH_CLIENT_SECRET": SECRET}
    status, printed = take_home.run("-B", **PLAIN, **wrong)
    assert status == 1
    assert printed.endswith("CA certificate bundle, invalid path: /nowhere.pem.\n")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (reply(500, "<h1>Sorry</h1>", "text/html"), "Redbooth returned 500. Try again later.\n"),
        (
            reply(200, "<h1>Hotel</h1>", "text/html"),
            "Redbooth gave no usable response (JSONDecodeError). Check the network.\n",
        ),
        (reply(200, "[]"), f"{UNUSABLE} TypeError: list indices must be integers or slices, not str\n"),
        (reply(200, "null"), f"{UNUSABLE} TypeError: 'NoneType' object is not subscriptable\n"),
        (reply(200, '{"id": 5}'), f"{UNUSABLE} KeyError: 'first_name'\n"),
    ],
    ids=["500", "a login page", "a list", "nothing", "a bare word"],
)
def test_an_odd_answer_is_a_sentence(take_home: App, faulty: FaultyServer, answer: bytes, sentence: str) -> None:
    faulty.answers = [answer]
    environment = PLAIN | {"REDBOOTH_CLIENT_SECRET": SECRET}
    take_home.store("canary-access", "canary-refresh")
    assert take_home.run(**environment) == (1, sentence)


def test_the_old_token_survives_a_crash_while_the_new_one_is_saved(
    take_home: App, app: Settings, sandbox: Sandbox
) -> None:
    """Killed between writing and renaming, the file holds a whole token."""
    del app
    take_home.run()
    before = take_home.token_file.read_bytes()
    sandbox.advance(7300)
    script = (take_home.folder / NAME).read_text()
    (take_home.folder / NAME).write_text(script.replace("    part.replace(TOKEN_FILE)", "    os._exit(9)"))
    assert take_home.run()[0] == 9
    assert take_home.token_file.read_bytes() == before
    (take_home.folder / NAME).write_text(script)
    status, printed = take_home.run()
    assert (status, GREETING in printed) == (0, True), printed
    assert "Please sign in again" in printed


def test_it_needs_nothing_of_the_kit_and_no_exception_from_the_rules() -> None:
    assert "redbooth_nb" not in SOLUTION
    assert "OAUTHLIB" not in SOLUTION
