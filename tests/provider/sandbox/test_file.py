"""The sandbox's file: one kept connection a process, that follows what happens to the file."""

import os
import re
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest
from provider.sandbox.visitor import CALLBACK, Visitor, registered

from redbooth_nb.provider.sandbox import Sandbox, SandboxError, database

REGISTER = """
import os, sys, threading
from pathlib import Path
from redbooth_nb.provider.sandbox import Sandbox, database

sandbox = Sandbox(Path(sys.argv[1]))

def register(number):
    for count in range(number):
        sandbox.seed_application(f"{os.getpid()} {count}", "http://127.0.0.1:8765/callback")
"""


def names(sandbox: Sandbox) -> list[str]:
    return [found["name"] for found in registered(sandbox)]


def python(script: str, file: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", REGISTER + script, str(file)], stderr=subprocess.PIPE, text=True)  # noqa: S603


def whole(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_one_connection_serves_the_whole_process(visitor: Visitor, file: Path) -> None:
    visitor.exchange(visitor.code())
    (connection,) = database._kept.values()
    Visitor(visitor.sandbox, visitor.app).code()
    assert list(database._kept.values()) == [connection]
    visitor.sandbox.stop()
    assert not database._kept
    assert names(visitor.sandbox) == ["Practice app"]
    assert [place.name for place in file.parent.iterdir()] == ["sandbox.sqlite3"]


def test_a_deleted_file_stays_deleted_until_a_sandbox_starts_anew(file: Path) -> None:
    sandbox = Sandbox(file)
    sandbox.seed_application("Old", CALLBACK)
    file.unlink()
    for _ in range(3):
        with pytest.raises(SandboxError, match="restart the kernel"):
            names(sandbox)
    assert not file.exists()
    with python("register(1)", file) as other:
        assert other.wait(20) == 0
    (found,) = names(sandbox)
    assert found.startswith(f"{other.pid} ")


def test_a_replaced_file_is_the_one_that_counts(file: Path, tmp_path: Path) -> None:
    """Nothing of the old one is read, nor written into the new one."""
    sandbox, other = Sandbox(file), Sandbox(tmp_path / "other.sqlite3")
    for count in range(20):
        other.seed_application(f"New {count}", CALLBACK)
        sandbox.seed_application(f"Old {count}", CALLBACK)
    (tmp_path / "other.sqlite3").replace(file)
    assert names(sandbox) == [f"New {count}" for count in range(20)]
    sandbox.seed_application("Newest", CALLBACK)
    assert names(Sandbox(file))[-1] == "Newest"
    assert whole(file)


def test_a_file_copied_over_it_is_the_one_that_counts(file: Path, tmp_path: Path) -> None:
    sandbox = Sandbox(file)
    sandbox.seed_application("Saved", CALLBACK)
    saved = file.read_bytes()
    sandbox.seed_application("Later", CALLBACK)
    assert names(sandbox) == ["Saved", "Later"]
    file.write_bytes(saved)
    assert names(sandbox) == ["Saved"]
    (tmp_path / "foreign").write_bytes(b"not a database" * 100)
    (tmp_path / "foreign").replace(file)
    with pytest.raises(SandboxError, match="damaged"):
        names(sandbox)


def test_a_database_of_somebody_else_that_replaces_it_is_left_alone(file: Path, tmp_path: Path) -> None:
    sandbox = Sandbox(file)
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    content = (tmp_path / "foreign").read_bytes()
    (tmp_path / "foreign").replace(file)
    for _ in range(3):
        with pytest.raises(SandboxError, match=r"another program.s database"):
            names(sandbox)
    assert file.read_bytes() == content


def test_several_processes_share_it(file: Path) -> None:
    sandbox = Sandbox(file)
    running = [python("register(25)", file) for _ in range(4)]
    for count in range(25):
        sandbox.seed_application(f"own {count}", CALLBACK)
    for process in running:
        assert process.communicate(timeout=60) == (None, "")
    assert len(set(names(sandbox))) == 125
    assert whole(file)


FORK = """
inside, forked = threading.Event(), threading.Event()

def check(tx):
    assert tx.run("SELECT count(*) FROM applications").fetchone()[0] == 100

def hold(tx):
    tx.set("held", 1)
    inside.set()
    forked.wait(0.2)  # the fork waits for this transaction

threading.Thread(target=sandbox._database.transact, args=[hold]).start()
inside.wait()
child = os.fork()
forked.set()
assert not database._kept
register(50)
if child:
    assert os.waitpid(child, 0)[1] == 0
    sandbox._database.transact(check)
os._exit(0) if not child else None
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_shares_the_file_and_not_the_connection(file: Path) -> None:
    with python("import warnings; warnings.simplefilter('ignore')" + FORK, file) as process:
        assert process.communicate(timeout=60) == (None, "")
        assert process.returncode == 0
    assert len(set(names(Sandbox(file)))) == 100
    assert whole(file)


def test_what_was_answered_outlives_a_kill(file: Path) -> None:
    """And what was not is undone."""
    killed = "lambda tx: (tx.run('DELETE FROM applications'), os.kill(os.getpid(), 9))"
    with python(f"register(20)\nsandbox._database.transact({killed})", file) as process:
        process.communicate(timeout=60)
    assert process.returncode == -9
    assert len(names(Sandbox(file))) == 20
    assert whole(file)


def test_what_sqlite_puts_beside_it_is_the_owner_s_alone(file: Path) -> None:
    before = os.umask(0)
    try:
        sandbox = Sandbox(file)

        def write(tx: database.Transaction) -> dict[str, int]:
            tx.set("anything", 1)
            return {place.name: place.stat().st_mode & 0o777 for place in file.parent.iterdir()}

        modes = sandbox._database.transact(write)
    finally:
        os.umask(before)
    assert modes == {"sandbox.sqlite3": 0o600, "sandbox.sqlite3-journal": 0o600}


def test_a_failure_leaves_no_transaction_open(file: Path) -> None:
    sandbox = Sandbox(file)

    def half(tx: database.Transaction) -> None:
        tx.set("half", 1)
        tx.run("SELECT * FROM missing")

    def raised(tx: database.Transaction) -> None:
        tx.set("half", 1)
        raise KeyError

    with pytest.raises(SandboxError, match="no such table"):
        sandbox._database.transact(half)
    with pytest.raises(KeyError):
        sandbox._database.transact(raised)
    assert sandbox._database.transact(lambda tx: tx.setting("half", 0)) == 0


def test_ctrl_c_at_any_point_leaves_nothing_locked(file: Path) -> None:
    """A signal is heard where a function of Python begins, and where one of C has returned."""
    sandbox = Sandbox(file)
    kept: list[KeyboardInterrupt] = []  # IPython keeps the last, and with it all frames
    left = 0

    def interrupt(_: object, event: str, __: object) -> None:
        nonlocal left
        left -= event in ("call", "c_return")
        if left == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    def free() -> bool:
        return database.turn.acquire(blocking=False) and not database.turn.release()

    for point in range(1, 1000):
        left = point
        try:
            sys.setprofile(interrupt)
            sandbox.advance(1)
        except KeyboardInterrupt as error:
            kept.append(error)
        finally:
            sys.setprofile(None)
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other, ThreadPoolExecutor(1) as thread:
            other.execute("BEGIN IMMEDIATE")
            assert thread.submit(free).result()
        if len(kept) < point:  # the end was reached
            break
    assert len(kept) > 30


def test_ctrl_c_is_heard_while_another_program_holds_the_lock(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(file)
    monkeypatch.setattr(database, "HEARD_SECONDS", 0)
    database.close_kept()  # the next connection waits as long as that
    looks = Mock(side_effect=[0.0, 1.0, 2.0, KeyboardInterrupt])
    with closing(sqlite3.connect(file, isolation_level=None)) as holder, monkeypatch.context() as patch:
        holder.execute("BEGIN IMMEDIATE")
        patch.setattr(database, "time", Mock(monotonic=looks))
        with pytest.raises(KeyboardInterrupt):
            sandbox.now()
    assert sandbox.now() > 0


def test_no_request_reads_all_tokens_or_codes(visitor: Visitor) -> None:
    """SQLite says of each statement how it would find the rows."""
    asked: list[str] = []
    (connection,) = database._kept.values()
    connection.set_trace_callback(asked.append)
    visitor.sandbox.switch(refresh_revokes_old="on first use")
    token = visitor.exchange(visitor.code()).json()
    token = visitor.refresh(token["refresh_token"]).json()
    assert visitor.me(token["access_token"]).status_code == 200
    visitor.code()  # allowed before
    assert visitor.get("/oauth2/authorized_applications").status_code == 200
    for path in ("authorized_applications", "applications"):
        form = {"authenticity_token": visitor.form_token(), "_method": "delete"}
        assert visitor.browser.post(visitor.url(f"/oauth2/{path}/1"), form, timeout=20).status_code == 200
    connection.set_trace_callback(None)
    asked = [sql for sql in asked if re.match(r"SELECT|UPDATE|DELETE", sql) and re.search("tokens|codes", sql)]
    asked += [
        "DELETE FROM tokens WHERE application_id = 1",
        "DELETE FROM codes WHERE application_id = 1",
    ]  # with its app
    assert len(asked) > 10
    plans = visitor.sandbox._database.transact(
        lambda tx: [row["detail"] for sql in asked for row in tx.run(f"EXPLAIN QUERY PLAN {sql}")]
    )
    assert not [plan for plan in plans if re.search("SCAN (tokens|codes)", plan)]
    assert {index for index in ("codes_of", "tokens_of") if index in "".join(plans)} == {"codes_of", "tokens_of"}


def test_a_file_of_the_first_format_is_brought_up_to_date(visitor: Visitor, file: Path) -> None:
    token = visitor.exchange(visitor.code()).json()["access_token"]
    with closing(sqlite3.connect(file)) as connection, connection:
        for index in ("codes_of", "tokens_of"):
            connection.execute(f"DROP INDEX {index}")
        connection.execute("PRAGMA user_version = 1")
    threads = [threading.Thread(target=Sandbox, args=[file]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert visitor.me(token).status_code == 200
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (database.FORMAT,)
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    assert found == [("codes_of",), ("tokens_of",)]
