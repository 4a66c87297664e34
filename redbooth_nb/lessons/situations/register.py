"""The situations for `read_credentials()`."""

import os
from pathlib import Path

from redbooth_nb.lessons.trial import Situation, Trial, expect


def write_env(trial: Trial, **changed: str) -> dict[str, str]:
    """Write the app's credentials to .env, without those changed to "", and return them."""
    values: dict[str, str] = trial.credentials | changed
    Path(".env").write_text("".join(f"REDBOOTH_{name.upper()}='{value}'\n" for name, value in values.items() if value))
    return values


def _file(trial: Trial) -> None:
    values = write_env(trial)
    Path(".env").write_text(f"# My app\nexport {Path('.env').read_text()}\nOTHER=1\n")
    found = trial.run()
    expect(isinstance(found, dict) and {*found} >= {*values}, "not_these_names", names=", ".join(values))
    expect(found.items() >= values.items(), "other_values")
    expect(trial.credentials["client_secret"] not in os.environ.values(), "in_environment")


def _signs(trial: Trial) -> None:
    values = write_env(trial, client_secret="pa$$w#rd-${HOME}")
    expect(trial.run().get("client_secret") == values["client_secret"], "changed_signs")


def _environment(trial: Trial) -> None:
    write_env(trial, client_id="from-the-file")
    os.environ["REDBOOTH_CLIENT_ID"] = "from-the-environment"
    expect(trial.run().get("client_id") == "from-the-environment", "file_first")


def _missing(trial: Trial) -> None:
    write_env(trial, client_secret="")
    for empty in ("", "REDBOOTH_CLIENT_SECRET=\n"):
        Path(".env").write_text(Path(".env").read_text() + empty)
        error = trial.refused()
        expect(error, "missing_unnoticed")
        expect("REDBOOTH_CLIENT_SECRET" in str(error), "missing_unnamed", error=type(error).__name__)
        expect(not isinstance(error, KeyError), "missing_unnamed", error=type(error).__name__)


SITUATIONS: dict[str, dict[str, Situation]] = {
    "read_credentials": {"file": _file, "signs": _signs, "environment": _environment, "missing": _missing},
}
