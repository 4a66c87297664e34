"""The way into every lesson: pick up where the learner left off, and do what is missing where that is allowed."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

import requests

from redbooth_nb.client.errors import failure
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import NotYet
from redbooth_nb.lessons.course import LESSONS, TEXTS, own_functions, summary_line
from redbooth_nb.lessons.explain import explain_errors
from redbooth_nb.lessons.learner import named
from redbooth_nb.lessons.practice import allow, practice_only
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.visitor import register_application

NEED_NO_APP = {"start", "register", "help-desk"}
APP_NAME = "My first Redbooth app"
T = TypeVar("T")


def ready(stage: str) -> Settings | None:
    """Say who answers, what cannot work here and what earlier lessons left; on a stand-in, do what is missing.

    Returns the settings; None for a stage that needs no app. From now on errors show as sentences.
    Raises NotYet on redbooth.com, naming the stage that comes first: only a person can register and allow there.
    """
    named("stage", stage, LESSONS)  # a wrong name is a sentence, not a puzzle later
    explain_errors(stage)
    provider = practice_only() if stage == "every-error" else current_provider()
    print(f"Requests to https://redbooth.com go to {provider.label}.")
    for line in filter(None, (limits_here(live=provider.kind == "live"), summary_line(), _skipped(stage))):
        print(line)
    return None if stage in NEED_NO_APP else _pick_up(stage)


def catch_up(stage: str) -> Settings:
    """Do what the lessons before `stage` do, where it is missing: register, press Allow, exchange.

    Raises NotYet on redbooth.com, where only a person can do it.
    """
    if current_provider().kind == "live":
        raise failure(NotYet, "lesson", "only_you")
    return _pick_up(stage)


def limits_here(environment: Mapping[str, str] = os.environ, *, live: bool) -> str:
    """Return what cannot work where this notebook is open, and what to do instead; "" in JupyterLab and Notebook 7."""
    colab = "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in environment
    if live and (colab or "JUPYTERHUB_SERVICE_PREFIX" in environment):
        return str(TEXTS["limits"]["far_away"]).format(place="Google Colab" if colab else "a JupyterHub")
    # a Jupyter server names the notebook to its kernels; VS Code starts kernels without one
    vs_code = "VSCODE_PID" in environment and "JPY_SESSION_NAME" not in environment
    return str(TEXTS["limits"]["no_scripts"]) if vs_code else ""


def _skipped(stage: str) -> str:
    """Say which functions of the learner's app come from the kit although their lessons are over."""
    earlier = list(LESSONS)[: list(LESSONS).index(stage)] if stage not in {"help-desk", "every-error"} else []
    findings = [found for before in earlier for found in own_functions(before)]
    skipped = ", ".join(values["functions"] for _, own, values in findings if not own)
    return TEXTS["own"]["skipped"].format(functions=skipped) if skipped else ""


def _pick_up(stage: str) -> Settings:
    """Say what earlier lessons left; do what is missing, or raise the NotYet that names it on redbooth.com."""
    settings = _find("app", Settings.load, _register)
    if stage == "refresh":
        _find("token", TokenStore(settings.folder).require, lambda: exchange(_code(settings)))
    elif stage == "exchange":
        _code(settings)
    return settings


def _find(what: str, load: Callable[[], T], make: Callable[[], T]) -> T:
    """Return what an earlier lesson left or, on a stand-in, what is made now, and say which."""
    there, missing = TEXTS["pick_up"][what]
    try:
        found, said = load(), there
    except NotYet:
        if current_provider().kind == "live":
            raise
        found, said = make(), missing
    print(said.format(found))
    return found


def _register() -> Settings:
    credentials = register_application(connect(requests.Session()), APP_NAME, DEFAULT_REDIRECT_URI)
    return save_credentials(*credentials, DEFAULT_REDIRECT_URI)


def _code(settings: Settings) -> AuthorizationResponse:
    def last() -> AuthorizationResponse:
        response = AuthorizationResponse.last(settings)
        if response.code is None:
            raise failure(NotYet, "pending", "no_answer")
        return response

    return _find("code", last, lambda: allow(settings))
