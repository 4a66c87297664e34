"""Errors in words: failure on purpose, and the libraries' own exceptions, explained where they happen."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from oauthlib.oauth2 import OAuth2Error

from redbooth_nb.client.errors import Meaning, bearer_problem, meaning_of
from redbooth_nb.client.redaction import hide_in_url
from redbooth_nb.client.token_endpoint import answer_problem
from redbooth_nb.client.transcript import reason
from redbooth_nb.client.wire import transport_failure
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.order import out_of_order
from redbooth_nb.provider.addresses import AUTHORIZE_URL, TOKEN_URL
from redbooth_nb.provider.unattended import page_message

EXPLAINED = (RedboothError, OAuth2Error, requests.RequestException)
# Redbooth's error pages name no code, so they are told by their sentence.
PAGES = {
    "redirect uri": "invalid_redirect_uri",
    "Client authentication failed": "invalid_client",
    "response type": "unsupported_response_type",
    "scope": "invalid_scope",
    "Missing required": "invalid_request",
}


@contextmanager
def show_errors() -> Iterator[None]:
    """Print the describe_answer of an error of the kit, of oauthlib or of requests, and go on."""
    try:
        yield
    except EXPLAINED as error:
        print(describe_error(error))  # noqa: T201  (printing is what it is for)


def explain_errors() -> None:
    """Let this notebook show such errors as sentences: their stack traces would hold secrets and help nobody.

    A name that a cell further up makes is one, too: the sentence names that cell.
    """
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((*EXPLAINED[1:], NameError), _show)


def _show(shell: InteractiveShell, kind: type[BaseException], error: BaseException, frames: Any, **_: Any) -> None:  # noqa: ANN401
    text = out_of_order(error) if isinstance(error, NameError) else describe_error(error)
    if text:
        print(text, file=sys.stderr)  # noqa: T201
    else:
        shell.showtraceback((kind, error, frames))


def explain(answer: requests.Response) -> None:
    """Print what an answer of Redbooth says, and what to do about it: a page, a redirect, a token or an API answer."""
    print(describe_answer(answer))  # noqa: T201


def describe_answer(answer: requests.Response) -> str:
    """Return what an answer of Redbooth says, and what to do about it."""
    known = _reading(answer)[1]
    return summarize(answer) + (f"\n{_lines(known)}" if known else "")


def summarize(answer: requests.Response) -> str:
    """Return in one line what an answer of Redbooth says."""
    return f"--> {answer.status_code} {reason(answer.status_code)}: {_reading(answer)[0]}"


def describe_error(error: BaseException) -> str:
    """Return what happened, why, and what to do."""
    name = type(error).__name__
    if isinstance(error, requests.RequestException):
        error = transport_failure(error, "The request")
    if isinstance(error, OAuth2Error):
        said = f' Redbooth said: "{error.description}"' if error.description else ""
        return f"{name}: {error.error}.{said}\n{_lines(meaning_of('token', error.error or ''))}"
    return f"{name}: {error}"


def _reading(answer: requests.Response) -> tuple[str, Meaning | None]:
    """Return what an answer says in its own words, and what that means; None for a good one."""
    address = answer.url.partition("?")[0].rstrip("/")
    if address == AUTHORIZE_URL:
        return _authorize(answer)
    return _token(answer) if address == TOKEN_URL else _api(answer)


def _authorize(answer: requests.Response) -> tuple[str, Meaning | None]:
    location = answer.headers.get("Location")
    if location:
        query = urlsplit(location).query or urlsplit(location).fragment
        code = parse_qs(query).get("error", [""])[0]
        said = f"the browser is sent to {hide_in_url(location)}"
    else:
        message = page_message(answer)
        code = next((code for words, code in PAGES.items() if words in message), "")
        said = f'a page that says "{message}"'
    return said, meaning_of("authorize", code) if code else None


def _token(answer: requests.Response) -> tuple[str, Meaning | None]:
    problem = answer_problem(answer, "token")
    if problem is None:
        return "a token", None
    return problem.error or "no JSON", meaning_of("token", problem.error)


def _api(answer: requests.Response) -> tuple[str, Meaning | None]:
    if answer.ok:
        return "a good answer", None
    challenge = answer.headers.get("WWW-Authenticate", "")
    server_fault = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    code = bearer_problem(challenge) or ("5xx" if server_fault else str(answer.status_code))
    return challenge or answer.text.strip()[:80], meaning_of("api", code)


def _lines(known: Meaning) -> str:
    return str(RedboothError(known.what, why=known.why, remedy=known.remedy, reference=known.reference))
