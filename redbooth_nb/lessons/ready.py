"""The way into every lesson: pick up where the learner left off, and do what is missing where that is allowed."""

import requests

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.register import DEFAULT_REDIRECT_URI, Settings, save_credentials
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.store import TokenStore
from redbooth_nb.client.token import Token
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import NotYet
from redbooth_nb.lessons.course import lesson
from redbooth_nb.lessons.explain import explain_errors
from redbooth_nb.lessons.practice import practice_only
from redbooth_nb.lessons.progress import summary_line
from redbooth_nb.lessons.surroundings import sentence
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.provider.unattended import press, register_application

NEED_TOKEN = {"refresh", "break-it"}
APP_NAME = "My first Redbooth app"


def ready(stage: str) -> Settings | None:
    """Say where requests go, what cannot work here and what earlier lessons left; on a stand-in, do what is missing.

    Returns the settings; None for "start" and "register", which need none. From now on errors show as sentences.
    Raises NotYet on redbooth.com, naming the notebook that comes first: only a person can register and allow there.
    """
    explain_errors()
    lesson(stage)  # a wrong name is a sentence, not a puzzle later
    provider = practice_only() if stage == "break-it" else current_provider()
    print(f"https://redbooth.com is answered by {provider.label}.")  # noqa: T201  (printing is what it is for)
    for line in (sentence(), summary_line()):
        if line:
            print(line)  # noqa: T201
    if stage in {"start", "register"}:
        return None
    if provider.kind != "live":
        return catch_up(stage)
    settings = Settings.load()
    print(f"Your app has the client id {settings.client_id}.")  # noqa: T201
    if stage == "exchange":
        AuthorizationResponse.last(settings)
    elif stage in NEED_TOKEN:
        _token(settings)
    return settings


def catch_up(stage: str) -> Settings:
    """Do what the lessons before `stage` do, where it is missing: register, press Allow, exchange.

    Raises NotYet on redbooth.com, where only a person can do it.
    """
    provider = current_provider()
    if provider.kind == "live":
        raise NotYet(
            "On redbooth.com only you can register an app and allow access.",
            remedy="Do the notebooks before this one, or practise with REDBOOTH_PROVIDER=sandbox.",
        )
    try:
        settings = Settings.load()
        print(f"Your app has the client id {settings.client_id}.")  # noqa: T201
    except NotYet:
        name_and_secret = register_application(connect(requests.Session()), APP_NAME, DEFAULT_REDIRECT_URI)
        settings = save_credentials(*name_and_secret)
        print(f"There was no app, so one was registered for you: client id {settings.client_id}.")  # noqa: T201
    if stage == "exchange":
        _need_code(settings)
    elif stage in NEED_TOKEN:
        _need_token(settings)
    return settings


def _need_code(settings: Settings) -> None:
    try:
        code = AuthorizationResponse.last(settings).code
    except NotYet:
        code = None
    if code is not None:
        print(f"Your {code!r} is waiting to be exchanged.")  # noqa: T201
        return
    request = AuthorizationRequest.new(settings)
    url = press(connect(requests.Session()), request.url, request.redirect_uri, "allow")
    code = AuthorizationResponse.read(url, request).code
    print(f"There was no fresh code, so Allow was pressed for you: {code!r}.")  # noqa: T201


def _need_token(settings: Settings) -> None:
    try:
        print(f"Your {_token(settings).access_token!r} is stored.")  # noqa: T201
    except NotYet:
        _need_code(settings)
        token = exchange(AuthorizationResponse.last(settings))
        print(f"There was no token, so the code was exchanged for you: {token.access_token!r}.")  # noqa: T201


def _token(settings: Settings) -> Token:
    token = TokenStore(settings.folder).load()
    if token is None:
        raise NotYet("There is no token yet.", remedy="Do notebook 03-exchange first.")
    return token
