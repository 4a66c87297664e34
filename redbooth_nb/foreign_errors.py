"""What an error of oauthlib or requests means, for code that uses them without the client: lessons, and `run`."""

from http import HTTPStatus

import requests
from oauthlib.oauth2 import MismatchingStateError, OAuth2Error

from redbooth_nb.client.errors import explanation_of
from redbooth_nb.client.wire import bearer_problem, transport_failure
from redbooth_nb.errors import RedboothError

PAGES = {  # words on an error page of the authorize address, and the error code that it does not show
    "redirect uri": "invalid_redirect_uri",
    "Client authentication failed": "invalid_client",
    "response type": "unsupported_response_type",
    "requested scope": "invalid_scope",
    "Missing required": "invalid_request",
}
AT_AUTHORIZE = {"access_denied", "server_error", "temporarily_unavailable"}  # only the authorize stage gives these


def meaning_of_error(error: OAuth2Error | requests.RequestException) -> RedboothError:
    if isinstance(error, MismatchingStateError):
        return explanation_of("state", "unproven")
    if isinstance(error, OAuth2Error):
        return explanation_of("authorize" if error.error in AT_AUTHORIZE else "token", error.error or "")
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return api_meaning(error.response)
    return transport_failure(error, "The request")


def api_meaning(answer: requests.Response) -> RedboothError:
    """Return what a refusal of the API means, as its status and `WWW-Authenticate` header say it."""
    status = "5xx" if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else str(answer.status_code)
    return explanation_of("api", bearer_problem(answer.headers.get("WWW-Authenticate", "")) or status)


def page_meaning(message: str) -> RedboothError | None:
    """Return what the message of an error page of the authorize address means, None where that is not known."""
    code = next((code for words, code in PAGES.items() if words in message), "")
    return explanation_of("authorize", code) if code else None
