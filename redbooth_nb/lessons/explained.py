"""Failure on purpose: the cell shows what went wrong in words, and the notebook goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from oauthlib.oauth2 import OAuth2Error

from redbooth_nb.client.errors import explanation
from redbooth_nb.client.wire import transport_failure
from redbooth_nb.errors import RedboothError


@contextmanager
def explained() -> Iterator[None]:
    """Print the explanation of an error of the kit, of oauthlib or of requests, instead of raising it."""
    try:
        yield
    except RedboothError as error:
        print(f"{type(error).__name__}: {error}")  # noqa: T201  (printing is what it is for)
    except OAuth2Error as error:
        known = explanation("token", error.error or "")
        said = f' Redbooth said: "{error.description}"' if error.description else ""
        print(f"{type(error).__name__}: {error.error}.{said}")  # noqa: T201
        print(f"{known.what}\nWhy: {known.why}\nWhat to do: {known.remedy}\nSee: {known.reference}")  # noqa: T201
    except requests.RequestException as error:
        print(transport_failure(error, "The request"))  # noqa: T201
