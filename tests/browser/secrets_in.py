"""Every secret that the sandbox ever gave or was given, to look for where none may be."""

import sqlite3
from contextlib import closing
from pathlib import Path

HELD = "SELECT secret FROM applications UNION SELECT code FROM codes UNION SELECT token FROM tokens"
REFRESH_TOKENS = "SELECT refresh_token FROM tokens WHERE refresh_token IS NOT NULL"


def secrets_in(state: Path) -> set[str]:
    """Return the client secrets, codes and tokens in a state folder's sandbox."""
    file = state / "sandbox" / "sandbox.sqlite3"
    if not file.exists():
        return set()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        return {row[0] for row in connection.execute(f"{HELD} UNION {REFRESH_TOKENS}")}
