"""The way into every lesson: pick up where the learner left off, and do what is missing where that is allowed.

And tools for practice on a stand-in: codes without clicks, made-up answers, and two hours in an instant.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import responses
from typing import Any, TypeVar
from unittest.mock import Mock, patch

import requests
from requests.adapters import HTTPAdapter
from werkzeug.wrappers import Response

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import failure
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import NotYet, RedboothError
from redbooth_nb.lessons.course import LESSONS, TEXTS, own_functions, summary_line
from redbooth_nb.lessons.explain import explain_errors, refuse_unconnected
from redbooth_nb.lessons.learner import named
from redbooth_nb.lessons.take_home import TakeHomeApp
from redbooth_nb.provider.adapter import InProcessDelivery, LoopbackDelivery
from redbooth_nb.provider.delivery import EmbeddedSandbox, Provider, current_provider
from redbooth_nb.provider.visitor import press, register_application
from redbooth_nb.widgets.time_machine import changed_switches

APP_NAME = "My first Redbooth app"
T = TypeVar("T")
UNITS = {"hours": 3600, "minutes": 60, "seconds": 1}  # in seconds
LONGEST_WAIT = 15  # seconds a cell may sleep for a short-lived token


def ready(stage: str) -> Settings | None:
    """Say who answers, what cannot work here and what earlier lessons left; on a stand-in, do what is missing.

    Returns the settings; None for a stage that needs no app. From now on errors show as sentences.
    Raises NotYet on redbooth.com, naming the stage that comes first: only a person can register and allow there.
    """
    named("stage", stage, LESSONS)  # so that a wrong name is reported now
    explain_errors(stage)
    refuse_unconnected()
    provider = practice_only() if stage == "every-error" else current_provider()
    print(f"Requests to https://redbooth.com go to {provider.label}.")
    changed = changed_switches(provider) if isinstance(provider, EmbeddedSandbox) else []
    switches = f"The sandbox's switches are not at their usual values: {'; '.join(changed)}" if changed else ""
    about = (limits_here(live=provider.kind == "live"), switches, summary_line(stage), _skipped(stage))
    print("".join(f"{line}\n" for line in about if line), end="")
    return _pick_up(stage) if TEXTS[stage]["needs"] else None


def catch_up(stage: str) -> Settings:
    """Do what the lessons before `stage` do, where it is missing: register, press Allow, exchange.

    Raises NotYet on redbooth.com, where only a person can do it.
    """
    named("stage", stage, LESSONS)
    if current_provider().kind == "live":
        raise NotYet.named("only_you")
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
    settings = _find("app", _registered, _register)
    if TEXTS[stage]["needs"] == "token":
        _find("token", lambda: _usable_token(settings), lambda: exchange(_code(settings)))
    elif TEXTS[stage]["needs"] == "code":
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


def _usable_token(settings: Settings) -> Token:
    token = TokenStore(settings.folder).require()
    if settings.provider.revoked(token.access_token.reveal()):
        raise failure(NotYet, "refresh", "no_token")
    return token


def _registered() -> Settings:
    settings = Settings.load()
    if settings.wrong_field:
        raise failure(NotYet, "register", "gone", client_id=settings.shown_client_id)
    return settings


def _register() -> Settings:
    credentials = register_application(connect(requests.Session()), APP_NAME, DEFAULT_REDIRECT_URI)
    return save_credentials(*credentials, DEFAULT_REDIRECT_URI)


def _code(settings: Settings) -> AuthorizationResponse:
    def last() -> AuthorizationResponse:
        response = AuthorizationResponse.last(settings)
        if response.code is None or response.request.code_verifier:  # PKCE is the last part of the lesson
            raise failure(NotYet, "pending", "no_answer")
        return response

    return _find("code", last, lambda: allow(settings))


def allow(settings: Settings | None = None, **options: Any) -> AuthorizationResponse:
    """Make a request, press Allow for you, and return the answer. options: as for `AuthorizationRequest.new`.

    Raises RedboothError on redbooth.com, where only a person can allow.
    """
    practice_only()
    request = AuthorizationRequest.new(settings, **options)
    url = press(connect(requests.Session()), request.url, request.redirect_uri, "allow")
    return AuthorizationResponse.read(url, request)


def practice_only() -> Provider:
    """Return the provider. Raises RedboothError when it is the real redbooth.com."""
    provider = current_provider()
    if provider.kind == "live":
        raise RedboothError.named("practice_only")
    return provider


@contextmanager
def pretend(
    status: int = 0,
    text: str = "",
    content_type: str = "text/html; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Let every request to Redbooth inside the block get this made-up answer; nothing is sent.

    status 0: no answer at all, as if there were no network. For what no provider does on demand.
    """
    provider = practice_only()
    adapters = provider if isinstance(provider, HTTPAdapter) else LoopbackDelivery  # of the sessions there are, too
    told = {"Content-Type": content_type, **(headers or {})}
    answer = Response(text, f"{status} {responses.get(status, '')}", told)
    nothing = requests.ConnectionError("There is no network. (This is made up.)")
    send = partial(LoopbackDelivery.send, InProcessDelivery(answer)) if status else Mock(side_effect=nothing)
    with patch.object(adapters, "send", staticmethod(send)):
        yield


def let_time_pass(seconds: float) -> None:
    """Move the provider's clock ahead by `seconds`, and say so. If the app is running, let it finish first.

    Where the clock cannot be moved: wait until the token has expired if that is soon, else say how long it lives.
    """
    TakeHomeApp.let_run_finish()
    settings = Settings.load()
    if settings.provider.let_time_pass(seconds):
        unit = next((each for each in UNITS if seconds >= UNITS[each]), "seconds")
        print(f"{seconds / UNITS[unit]:.3g} {unit} have passed.")
        return
    unmoved, token = f"The clock of {settings.provider.label} cannot be moved.", TokenStore(settings.folder).load()
    left = token.remaining(settings.provider.now()) if token else None
    if left is None or left > LONGEST_WAIT:
        lives = f" Your token is valid for another {left / 60:.0f} minutes." if left else ""
        print(f"{unmoved}{lives} You can run the next cells, but some need an expired token.")
        return
    time.sleep(max(left, 0) + 1)
    print(f"{unmoved} Instead, this cell waited until the token had expired.")
