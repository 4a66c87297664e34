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
    values = write_env(trial, redirect_uri="http://127.0.0.1:9000/back")
    Path(".env").write_text(f"# My app\nexport {Path('.env').read_text()}\nOTHER=1\n")
    found = trial.run()
    expect(isinstance(found, dict) and {*found} >= {*values}, "not_these_names", names=", ".join(values))
    expect(found.items() >= values.items(), "other_values")
    expect(trial.credentials["client_secret"] not in os.environ.values(), "in_environment")


def _signs(trial: Trial) -> None:
    values = write_env(trial, client_secret="pa$$w#rd-${HOME}")
    expect(trial.run().get("client_secret") == values["client_secret"], "changed_signs")


def _environment(trial: Trial) -> None:
    for name in write_env(trial):
        os.environ[f"REDBOOTH_{name.upper()}"] = f"{name}-from-the-environment"
        expect(trial.run().get(name) == f"{name}-from-the-environment", "file_first", name=name.upper())


def _missing(trial: Trial) -> None:
    for name in write_env(trial):
        write_env(trial, **{name: ""})
        variable = f"REDBOOTH_{name.upper()}"
        for empty in ("", f"{variable}=\n"):
            Path(".env").write_text(Path(".env").read_text() + empty)
            error = trial.refused()
            expect(error, "missing_unnoticed", name=variable)
            said = f"{error} {trial.printed()}"
            expect(variable in said and not isinstance(error, KeyError), "missing_unnamed", name=variable, error=error)


SITUATIONS: dict[str, dict[str, Situation]] = {
    "read_credentials": {"file": _file, "signs": _signs, "environment": _environment, "missing": _missing},
}
