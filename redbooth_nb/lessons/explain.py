"""Errors in words: failure on purpose, and the exceptions of the kit and the libraries, explained where they happen."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

import requests
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from oauthlib.oauth2 import OAuth2Error

from redbooth_nb.client.errors import explanation_of
from redbooth_nb.client.exchange import error_in_response
from redbooth_nb.client.wire import status_of
from redbooth_nb.errors import RedboothError, only_kit_errors, printable
from redbooth_nb.foreign_errors import api_meaning, meaning_of_error, page_meaning
from redbooth_nb.lessons.course import LESSONS, TEXTS
from redbooth_nb.lessons.source import defined_by
from redbooth_nb.provider.addresses import AUTHORIZE_URL, TOKEN_URL
from redbooth_nb.provider.delivery import current_provider, guides_spelling
from redbooth_nb.provider.visitor import page_message
from redbooth_nb.traffic.redaction import hidden_json, hide_in_text, hide_in_url
from redbooth_nb.working_copies import REPOSITORY

Explained = RedboothError | OAuth2Error | requests.RequestException
EXPLAINED = (RedboothError, OAuth2Error, requests.RequestException)
LONGEST = 4000  # characters of a text that are read
OWN_ADAPTER = requests.Session.get_adapter
_open_lesson = {"stage": ""}


@contextmanager
def show_errors() -> Iterator[None]:
    """Print what an error of the kit, of oauthlib or of requests means, and go on."""
    try:
        yield
    except EXPLAINED as error:
        print(describe_error(error))


def explain_errors(stage: str = "") -> None:
    """From now on, show such errors in this notebook as sentences: stack traces would hold secrets and help nobody.

    stage: the lesson of this notebook. A NameError is explained, too, if a cell above defines the name.
    """
    _open_lesson["stage"] = stage
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((*EXPLAINED, NameError), _show)


def refuse_unconnected() -> None:
    """From now on, unless the provider is live, let no session without `connect` send anything to redbooth.com."""
    requests.Session.get_adapter = _connected_adapter  # type: ignore[method-assign, assignment]


def _connected_adapter(session: requests.Session, url: str) -> requests.adapters.BaseAdapter:
    if guides_spelling(url) and (provider := current_provider()).kind != "live":
        raise RedboothError.named("unconnected", label=provider.label)
    return OWN_ADAPTER(session, url)


def _show(
    shell: InteractiveShell, kind: type[Exception], error: Explained | NameError, frames: TracebackType, **_: object
) -> None:
    running = shell.user_ns.get("In", [""])[-1]
    text = out_of_order(error, running) if isinstance(error, NameError) else describe_error(error)
    # a kit error shows its own text in place of a stack trace, so the other exceptions borrow one
    shell.showtraceback((kind, RedboothError(text), None) if text else (kind, error, frames))


def out_of_order(error: NameError, running: str = "") -> str:
    """Say which cell to run before the one that is running; "" when no cell above it defines the name (a typo)."""
    name = error.name or ""
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    here = notebook if notebook.is_file() else Path.cwd() / notebook.name
    for file in (here, REPOSITORY / "notebooks" / notebook.name):  # the original still has cells deleted from the copy
        with suppress(OSError, ValueError, KeyError, TypeError):
            for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
                source = "".join(cell["source"]).strip()
                if source == running.strip():
                    break
                with suppress(SyntaxError):  # of another language, as magics are
                    if cell["cell_type"] == "code" and name in defined_by(source):
                        return str(TEXTS["out_of_order"]["sentence"]).format(name=name, first=source.splitlines()[0])
    return ""


@only_kit_errors
def explain(response: requests.Response) -> None:
    """Print what a response from Redbooth says and what to do about it: a page, a redirect, a token or API data."""
    meaning = _reading(response)[1]
    print(summarize(response) + (f"\n{meaning}" if meaning else ""))


@only_kit_errors
def summarize(response: requests.Response) -> str:
    """Return in one line what a response from Redbooth says."""
    return f"--> {status_of(response)}: {_on_a_line(_reading(response)[0])}"


def _on_a_line(said: str) -> str:
    """Return what a service said, without secrets, line breaks or control characters, so it can't pass for our own."""
    return printable(" ".join(hide_in_text(said).split()))


def describe_error(error: Explained) -> str:
    """Return what happened, why, what to do, and where in the course that is."""
    name = type(error).__name__
    if isinstance(error, OAuth2Error):
        name += f": {_on_a_line(str(error.error))}."
        name += f' Redbooth said: "{_on_a_line(error.description)}"' if error.description else ""
        return f"{name}\n{meaning_of_error(error)}"
    meaning = error if isinstance(error, RedboothError) else meaning_of_error(error)
    return f"{name}: {meaning}{_in_this_course(meaning.stage)}"


def _in_this_course(stage: str) -> str:
    """Return a line that says where a stage is done; "" when that is the open notebook."""
    here, order = _open_lesson["stage"], list(LESSONS)
    if stage not in LESSONS or stage == here:
        return ""
    call = ""
    with suppress(RedboothError):
        if stage in TEXTS["catch_up"] and current_provider().kind != "live":
            needs_token = here in order[order.index("refresh") :]
            call = f", or run catch_up('{'refresh' if needs_token else TEXTS['catch_up'][stage]}')"
    return f"\nIn this course: notebook {LESSONS[stage]}{call}"


def _reading(answer: requests.Response) -> tuple[str, RedboothError | None]:
    """Return what an answer says in its own words, and what that means; None for a good one."""
    address, location = answer.url.partition("?")[0].rstrip("/"), answer.headers.get("Location")
    if address == AUTHORIZE_URL and location:
        query = urlsplit(location).query or urlsplit(location).fragment
        code = parse_qs(query).get("error", [""])[0]
        meaning = explanation_of("authorize", hide_in_text(code)) if code else None
        return f"the browser is sent to {hide_in_url(location)}", meaning
    if address == AUTHORIZE_URL:
        message = page_message(answer)
        return f'a page that says "{message}"', page_meaning(message)
    if address == TOKEN_URL:
        problem = error_in_response(answer, "")
        if problem is None:
            return "a token", None
        said = "no error code" if isinstance(hidden_json(answer.text), dict) else "something that is not JSON"
        return problem.error or said, explanation_of("token", problem.error)
    if answer.ok:
        return "a good response", None
    said = answer.headers.get("WWW-Authenticate") or hide_in_text(answer.text[:LONGEST])[:80].strip()
    return said, api_meaning(answer)
