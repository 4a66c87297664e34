"""Start and stop a real Doorkeeper, the engine behind redbooth.com, for tests and recordings."""

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

RUBY = Path("/usr/bin/ruby")  # Debian's: a version manager's would not see Debian's gems
PACKAGES = "ruby ruby-doorkeeper ruby-railties ruby-activerecord ruby-sqlite3 puma"
SEED = Path(__file__).parents[2] / "redbooth_nb" / "provider" / "sandbox" / "seed.json"
BOOT_SECONDS = 60


class Doorkeeper:
    """A running engine with one registered application; lifetimes are in seconds.

    ``confidential`` False makes the application a public client. ``revoke_on_use`` keeps the old pair alive until
    the new access token is first used. ``redirect_uri`` may hold several, separated by spaces.
    """

    def __init__(  # noqa: PLR0913 - one argument per setting of app.rb
        self,
        *,
        token_lifetime: int = 7200,
        code_lifetime: int = 600,
        redirect_uri: str = "http://127.0.0.1:8765/callback",
        confidential: bool = True,
        revoke_on_use: bool = False,
        client_id: str = "",
        client_secret: str = "",
    ) -> None:
        self.redirect_uri = redirect_uri
        self._settings = {
            "DK_ACCESS_TOKEN_EXPIRES_IN": str(token_lifetime),
            "DK_CODE_EXPIRES_IN": str(code_lifetime),
            "DK_REDIRECT_URI": redirect_uri,
            "DK_CONFIDENTIAL": str(int(confidential)),
            "DK_REVOKE_ON_USE": str(int(revoke_on_use)),
            "DK_CLIENT_ID": client_id,
            "DK_CLIENT_SECRET": client_secret,
        }
        self.base_url = self.client_id = self.client_secret = self.version = self.rails = ""

    @staticmethod
    def missing() -> str | None:
        """Return a sentence saying what is not installed and how to get it, or None."""
        remedy = f"On Debian or Ubuntu: apt-get install -y --no-install-recommends {PACKAGES}"
        if not RUBY.exists():
            return f"The real Doorkeeper needs {RUBY}, which is not installed. {remedy}"
        probe = (
            'require "rails"; require "active_record/railtie"; require "doorkeeper"; require "puma"; require "sqlite3"'
        )
        if subprocess.run([RUBY, "-e", probe], capture_output=True, check=False).returncode:  # noqa: S603 - fixed words
            return f"The real Doorkeeper is not installed for {RUBY}. {remedy}"
        return None

    def __enter__(self) -> Self:
        """Start it, and return once it listens."""
        self._folder = Path(tempfile.mkdtemp(prefix="doorkeeper-"))
        try:
            self._start()
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, whatever happened."""
        self.stop()

    def stop(self) -> None:
        """End the process and remove its files."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._clean()

    def requests(self) -> list[dict[str, Any]]:
        """Return every exchange so far: method, path, query, request_headers, request_body, status, response_…."""
        log = self._folder / "requests.jsonl"
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    def age_tokens(self, seconds: int) -> None:
        """Make every access token look this much older: the engine's clock can't be moved."""
        self._sql("UPDATE oauth_access_tokens SET created_at = datetime(created_at, ?)", seconds)

    def age_codes(self, seconds: int) -> None:
        """Make every authorization code look this much older."""
        self._sql("UPDATE oauth_access_grants SET created_at = datetime(created_at, ?)", seconds)

    def _start(self) -> None:
        complaints = self._folder / "stderr.txt"
        settings = {"DK_DB": "engine.sqlite3", "DK_LOG": "requests.jsonl"}
        paths = {name: str(self._folder / file) for name, file in settings.items()} | {"DK_SEED": str(SEED)}
        with complaints.open("wb") as stderr:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [RUBY, Path(__file__).with_name("app.rb"), "0"],
                env=os.environ | self._settings | paths,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        assert self._process.stdout is not None
        hung = threading.Timer(BOOT_SECONDS, self._process.kill)
        hung.start()
        try:
            with self._process.stdout as stdout:
                line = stdout.readline()
        finally:
            hung.cancel()
        if not line:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"Doorkeeper did not start:\n{complaints.read_text(errors='replace')[-2000:]}")
        for name, value in json.loads(line).items():
            setattr(self, name, value)

    def _clean(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sql(self, statement: str, seconds: int) -> None:
        with closing(sqlite3.connect(self._folder / "engine.sqlite3", timeout=10)) as connection, connection:
            connection.execute(statement, (f"-{seconds} seconds",))
