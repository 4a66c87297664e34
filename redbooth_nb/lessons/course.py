"""The lessons in their order, what shows that each is done, and progress. Texts and questions are in course.toml."""

import json
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from redbooth_nb.client.authorize import PendingAuthorization
from redbooth_nb.client.errors import failure
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.token import Token, TokenStore
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors, wordings
from redbooth_nb.lessons.learner import hints_about, named, note, noted
from redbooth_nb.lessons.take_home import TakeHomeApp
from redbooth_nb.lessons.try_out import EXERCISES, TICKETS, solved
from redbooth_nb.provider.delivery import current_provider
from redbooth_nb.traffic.transcript import transcript

# a requirement's name, whether it holds, and the values for the placeholders of its wording
Findings = Iterator[tuple[str, bool, dict[str, str]]]
TEXTS = wordings(Path(__file__).with_suffix(".toml"))
LESSONS: dict[str, str] = {stage: table["notebook"] for stage, table in TEXTS.items() if "notebook" in table}
QUESTIONS = {name: SimpleNamespace(**each) for stage in LESSONS for name, each in TEXTS[stage]["questions"].items()}


class Requirement(NamedTuple):
    """Something that is true or not, no matter what was clicked. hints: two hints, then the answer."""

    text: str
    holds: bool
    hints: list[str]


@only_kit_errors
def check(stage: str) -> None:
    """Print what is done in `stage` and a hint for what is missing: first one, then a second, then the answer.

    stage: "start", "register", "authorize", "exchange", "refresh", "help-desk", "your-own-app" or "every-error".
    When nothing is missing, the lesson counts as done. Raises StoreError when that cannot be kept.
    """
    named("stage", stage, LESSONS)
    required = requirements(stage)
    for requirement in required:
        print(f"{'Done' if requirement.holds else 'To do':8} {requirement.text}")
        if not requirement.holds:
            print(*(f"         {hint}" for hint in hints_about(requirement.text, requirement.hints)), sep="\n")
    if all(requirement.holds for requirement in required):
        if stage not in done():
            note(lambda _: {"done": [*done(), stage]})
        if line := summary_line(stage):
            print(line)


def progress() -> None:
    """Print every lesson and whether it is done."""
    finished = done()
    for stage, notebook in LESSONS.items():
        print(f"{'Done ' if stage in finished else 'To do'}    {notebook}")


def done() -> list[str]:
    """Return the stages whose check found nothing missing, in the order of the course."""
    finished = noted().get("done", [])
    return [stage for stage in LESSONS if stage in finished]


def summary_line(stage: str) -> str:
    """Say how many lessons are done and which comes next, from `stage` on if possible; "" before the first.

    Also "" with recordings: there, each notebook stands alone, so that stored outputs don't contradict each other.
    """
    finished, order = done(), list(LESSONS)
    if not finished or current_provider().kind == "recorded":
        return ""
    place = order.index(stage)
    following = next((LESSONS[one] for one in order[place:] + order[:place] if one not in finished), "")
    then = f"next is {following}" if following else "that was the whole course"
    return f"Lessons  {len(finished)} of {len(LESSONS)} done; {then}."


def requirements(stage: str) -> list[Requirement]:
    """Return what the check of a lesson asks for, each as it is now."""
    words = TEXTS[stage]["requirements"] | {"own": TEXTS["own"]}
    return [
        Requirement(words[name]["met" if holds else "missing"].format_map(values), holds, words[name]["hints"])
        for name, holds, values in chain(_FINDINGS[stage](), own_functions(stage))
    ]


def own_functions(stage: str) -> Findings:
    """Find out whether the functions of this stage in the learner's app are their own."""
    names = [name for name, exercise in EXERCISES.items() if exercise["stage"] == stage]
    if names:
        mine = TakeHomeApp().mine()
        missing = [name for name in names if name not in mine]
        yield "own", not missing, {"functions": ", ".join(missing or names)}


def _start() -> Findings:
    provider = current_provider()
    yield "provider", provider.now() > 0, {"label": provider.label}


def _register() -> Findings:
    try:
        settings = Settings.load()
        gone = failure(NotYet, "register", "gone", client_id=settings.shown_client_id)
        yield "app", not settings.wrong_field, {"client_id": settings.shown_client_id, "problem": gone.what}
    except RedboothError as error:
        yield "app", False, {"problem": error.what}


def _authorize() -> Findings:
    try:
        settings = Settings.load()
        record = PendingAuthorization(settings).load()
        response = None if record["answered"] and "callback_url" not in record else AuthorizationResponse.last(settings)
    except RedboothError as error:
        yield "code", False, {"problem": error.what}
        return
    got_code = response is None or response.code is not None
    yield "code", got_code, {"problem": "The last answer was a denial, so there is no code."}
    yield "state", bool(record["answered"]), {}


def _exchange() -> Findings:
    called = any(each.address.endswith("/api/3/me") and each.status == HTTPStatus.OK for each in transcript)
    problem = "No token is stored."
    try:
        problem = "" if TokenStore(Settings.load().folder).load() else problem
    except RedboothError as error:
        problem = problem if isinstance(error, NotYet) else error.what
    yield "token", not problem, {"problem": problem}
    yield "call", called, {}


def _refresh() -> Findings:
    trips = [*transcript]
    codes = [n for n, each in enumerate(trips) if ("grant_type", "authorization_code") in each.fields]
    # those after the last exchange: before it, they belong to another permission
    refreshes = [each for each in trips[max(codes, default=0) :] if ("grant_type", "refresh_token") in each.fields]
    good = [each.body for each in refreshes if each.status == HTTPStatus.OK and isinstance(each.body, dict)]
    newest, token = good[-1].get("refresh_token") if good else None, _stored()
    saved = token is not None and newest is not None and token.refresh_token == newest
    yield "new-pair", bool(good), {}
    if good:
        yield "saved" if token else "gone", saved, {}


def _stored() -> Token | None:
    with suppress(RedboothError):
        return TokenStore(Settings.load().folder).load()
    return None


def _help_desk() -> Findings:
    closed = solved()
    following = next((number for number in TICKETS if number not in closed), 0)
    yield "tickets", not following, {"all": str(len(TICKETS)), "solved": str(len(closed)), "next": str(following)}


def _your_own_app() -> Findings:
    app, owner, client_id = TakeHomeApp(), "", ""
    with suppress(OSError, ValueError, TypeError, KeyError):
        owner = json.loads((app.folder / "my_redbooth_token.json").read_text(encoding="utf-8"))["client_id"]
    with suppress(RedboothError):
        client_id = Settings.load().client_id
    there = app.file.exists()
    yield "written", there, {}
    yield "alone", there and "redbooth_nb" not in app.text(), {}
    yield "signed_in" if client_id else "registered", bool(client_id) and owner == client_id, {}


def _every_error() -> Findings:
    opened = [each for each in transcript if each.method == "GET" and each.address.endswith("/authorize")]
    yield "page", any("web page" in str(each.body) for each in opened), {}
    unauthorized = [each.address for each in transcript if each.status == HTTPStatus.UNAUTHORIZED]
    yield "api", any("/api/3/" in address for address in unauthorized), {}
    errors = [each.body.get("error") for each in transcript if isinstance(each.body, dict)]
    yield "client", "invalid_client" in errors, {}
    yield "grant", "invalid_grant" in errors, {}


_FINDINGS = {"start": _start, "register": _register, "authorize": _authorize, "exchange": _exchange}
_FINDINGS |= {"refresh": _refresh, "help-desk": _help_desk, "your-own-app": _your_own_app, "every-error": _every_error}
