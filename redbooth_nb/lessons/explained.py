"""Errors in words: failure on purpose, and the libraries' own exceptions, explained where they happen."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from IPython.core.getipython import get_ipython
from oauthlib.oauth2 import OAuth2Error

from redbooth_nb.client.errors import explanation
from redbooth_nb.client.wire import transport_failure
from redbooth_nb.errors import RedboothError

EXPLAINED = (RedboothError, OAuth2Error, requests.RequestException)


@contextmanager
def explained() -> Iterator[None]:
    """Print the explanation of an error of the kit, of oauthlib or of requests, and go on."""
    try:
        yield
    except EXPLAINED as error:
        print(in_words(error))  # noqa: T201  (printing is what it is for)


def explain_errors() -> None:
    """Let this notebook show such errors as sentences: their stack traces would hold secrets and help nobody."""
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc(EXPLAINED[1:], lambda *found: print(in_words(found[2]), file=sys.stderr))  # noqa: T201


def in_words(error: BaseException) -> str:
    """Return what happened, why, and what to do."""
    name = type(error).__name__
    if isinstance(error, requests.RequestException):
        error = transport_failure(error, "The request")
    if isinstance(error, OAuth2Error):
        known = explanation("token", error.error or "")
        said = f' Redbooth said: "{error.description}"' if error.description else ""
        error = RedboothError(
            f"{error.error}.{said}\n{known.what}", why=known.why, remedy=known.remedy, reference=known.reference
        )
    return f"{name}: {error}"
