"""The sandbox as a Python object: its file, clock, switches, port, and coming and going."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests
from provider.sandbox.visitor import CALLBACK, Visitor, registered

from redbooth_nb.provider.sandbox import Sandbox, SandboxError, Switches, database


def test_file_is_the_owner_s_alone(file: Path) -> None:
    before = os.umask(0)
    try:
        Sandbox(file).seed_application("App", CALLBACK)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_two_sandboxes_on_one_file_are_one(visitor: Visitor, file: Path) -> None:
    other = Sandbox(file, 0)
    other.start()
    try:
        token = visitor.exchange(visitor.code()).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert requests.get(other.start() + "/api/3/me", headers=bearer, timeout=20).status_code == 200
        other.advance(7201)
        assert visitor.me(token).status_code == 401
        other.switch(rate_limited=True)
        assert visitor.me(token).status_code == 429
        assert visitor.browser.get(other.start() + "/oauth2/authorized_applications", timeout=20).ok  # same session
    finally:
        other.stop()


def test_clock_moves_and_resets(file: Path) -> None:
    sandbox = Sandbox(file)
    start = sandbox.now()
    sandbox.advance(100_000)
    sandbox.advance(1.5)
    assert Sandbox(file).now() - start > 100_001
    sandbox.reset_clock()
    assert sandbox.now() - start < 100_000


def test_switches_are_checked(file: Path) -> None:
    sandbox = Sandbox(file)
    assert sandbox.switches == Switches()
    sandbox.switch(style="2015", token_lifetime=60)
    assert Sandbox(file).switches == Switches(style="2015", token_lifetime=60)
    for wrong, sentence in {
        "colour": "no switch named 'colour'",
        "style": "It takes '5.5' or '2015'",
        "rate_limited": "It takes False or True",
        "code_lifetime": "a whole number of seconds from 1 to",
    }.items():
        with pytest.raises(SandboxError, match=re.escape(sentence)):
            sandbox.switch(**{"state": "dropped", wrong: 0})
    with pytest.raises(SandboxError, match="whole number"):
        sandbox.switch(token_lifetime=True)
    assert sandbox.switches.state == "echoed"  # one wrong name changes nothing


def test_seeding_twice_is_seeding_once(file: Path) -> None:
    sandbox = Sandbox(file)
    first = sandbox.seed_application("App", CALLBACK, client_id="a" * 64, client_secret="b" * 64)
    again = sandbox.seed_application("Renamed", CALLBACK, client_id="a" * 64)
    assert first == again == {"client_id": "a" * 64, "client_secret": "b" * 64, "redirect_uri": CALLBACK}
    assert registered(sandbox) == [{"name": "Renamed", "client_id": "a" * 64, "redirect_uri": CALLBACK}]
    random = sandbox.seed_application("Other", CALLBACK)
    assert re.fullmatch("[0-9a-f]{64}", random["client_id"])
    assert re.fullmatch("[0-9a-f]{64}", random["client_secret"])
    with pytest.raises(SandboxError, match=r"its redirect_uri must specify a scheme\. For example"):
        sandbox.seed_application("Wrong", "localhost:8765/callback")


def test_reset_forgets_everything(visitor: Visitor, sandbox: Sandbox) -> None:
    token = visitor.exchange(visitor.code()).json()["access_token"]
    sandbox.advance(50_000)
    sandbox.switch(state="dropped")
    sandbox.reset()
    assert registered(sandbox) == []
    assert sandbox.switches == Switches()
    assert "is invalid" in visitor.me(token).headers["WWW-Authenticate"]


def test_it_listens_once_its_address_is_asked_for(file: Path) -> None:
    sandbox = Sandbox(file, 0)
    assert not sandbox.listening
    assert requests.get(f"{sandbox.start()}/clock", timeout=20).ok
    assert sandbox.listening
    sandbox.stop()


def test_busy_port(file: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        threads = set(threading.enumerate())
        with pytest.raises(SandboxError, match=rf"port {port}.*another port"):
            Sandbox(file, port).start()
        assert set(threading.enumerate()) <= threads
        other = Sandbox(file, port, 0)
        other.start()
        assert other.start().startswith("http://127.0.0.1:")
        assert other.start() != f"http://127.0.0.1:{port}"
        other.stop()


def test_listens_on_loopback_only(sandbox: Sandbox) -> None:
    port = int(sandbox.start().rsplit(":", 1)[1])
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.2", port))  # not free if something listens at every address
        assert probe.getsockname() == ("127.0.0.2", port)


def test_many_browsers_may_stay_connected(sandbox: Sandbox) -> None:
    """The web server's own limit, 100, would leave the next one waiting until another goes."""
    browsers = [requests.Session() for _ in range(120)]
    assert {one.get(sandbox.start() + "/clock", timeout=20).status_code for one in browsers} == {200}
    for browser in browsers:
        browser.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_starting_and_stopping_leaves_nothing(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def round_trip() -> None:
        sandbox = Sandbox(file, 0)
        sandbox.start()
        sandbox.start()
        kept_alive = socket.create_connection(("127.0.0.1", int(sandbox.start().rsplit(":", 1)[1])))
        kept_alive.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert kept_alive.recv(64)
        sandbox.stop()
        sandbox.stop()
        kept_alive.close()

    round_trip()
    threads, descriptors = set(threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        round_trip()
    assert set(threading.enumerate()) <= threads
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors
    assert capfd.readouterr() == ("", "")


def test_two_starts_at_once_are_one(file: Path) -> None:
    sandbox = Sandbox(file, 0)
    before = set(threading.enumerate())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sandbox.start(), range(8)))
    sandbox.stop()
    assert set(threading.enumerate()) <= before


def test_damaged_file_is_named_and_kept(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(SandboxError, match=r"damaged, or it isn.t a sandbox file.*left unchanged.*Move it away"):
        Sandbox(file)
    assert file.read_bytes() == b"not a database at all" * 100


def test_newer_file_is_named_and_kept(file: Path) -> None:
    Sandbox(file).seed_application("App", CALLBACK)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with pytest.raises(SandboxError, match=r"newer version of this kit.*format 99"):
        Sandbox(file)
    assert file.read_bytes() == before


def test_somebody_else_s_database_is_left_alone(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(SandboxError, match=r"another program.s database"):
        Sandbox(file)


def test_locked_file_is_named(visitor: Visitor, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    database.close_kept()  # the next connection waits as long as that
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        for use in (visitor.sandbox.now, lambda: Sandbox(file)):
            with pytest.raises(SandboxError, match=r"locked by another program.*Close that program"):
                use()
        page = visitor.get("/oauth2/applications")
        assert page.status_code == 503
        assert "locked by another program" in page.text
        holder.execute("ROLLBACK")
    assert visitor.get("/oauth2/applications").status_code == 200


def test_deleted_file_does_not_come_back_empty(sandbox: Sandbox, file: Path) -> None:
    file.unlink()
    with pytest.raises(SandboxError, match="restart the kernel"):
        registered(sandbox)
    assert not file.exists()


def test_folder_that_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(SandboxError, match=r"can't create its file.*REDBOOTH_STATE_DIR"):
        Sandbox(tmp_path / "taken" / "sandbox.sqlite3")


def test_runs_alone_until_told_to_stop(tmp_path: Path) -> None:
    options = ["--port", "0", "--state", "alone.sqlite3", "--token-lifetime", "60"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "redbooth_nb", "sandbox", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        line = json.loads(running.stdout.readline())
        assert list(line) == ["base_url", "client_id", "redirect_uri", "client_secret"]
        assert requests.get(line["base_url"] + "/oauth2/applications", timeout=20).status_code == 200
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
    assert (out, err, running.returncode) == ("", "", 0)
    assert Sandbox(tmp_path / "alone.sqlite3").switches.token_lifetime == 60
