"""The error that ended a script, as Python shows it, but without the kit's frames and secrets, and with a remedy."""

import errno
import re
import traceback
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests
from oauthlib.oauth2 import MismatchingStateError, OAuth2Error

from redbooth_nb.child_processes.sitecustomize import REFUSED
from redbooth_nb.client.errors import API, AUTHORIZE, TOKEN, bearer_problem, explanation
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import transport_failure
from redbooth_nb.errors import RedboothError
from redbooth_nb.machine import user_of

SERVER_ERROR = 500
SECRETS = re.compile(r"((?:code|code_verifier|client_secret|access_token|refresh_token)=)[^&\s'\")]+")


def shown(error: Exception, script: Path, settings: Settings) -> str:
    """Return the traceback from the script's own frames on, without secrets, and what to do about it."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != str(script):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames))
    for secret in (settings.client_secret.reveal(), quote(settings.client_secret.reveal(), safe="")):
        text = text.replace(secret, "...")
    advice = _advice(error, settings)
    return SECRETS.sub(r"\1...", text) + (f"{advice}\n" if advice else "")


def _advice(error: Exception, settings: Settings) -> RedboothError | None:
    """Return in words what ended the script, None where the traceback says it all."""
    if isinstance(error, MismatchingStateError):
        why = "It belongs to another attempt, or is forged, or the service does not give state back."
        remedy = "Run the script again, and use only the newest sign-in page."
        return RedboothError("The answer lacks the state that was sent.", why=why, remedy=remedy)
    if isinstance(error, OAuth2Error):
        leg = AUTHORIZE if error.error in {"access_denied", "server_error", "temporarily_unavailable"} else TOKEN
        known = explanation(leg, error.error or "")
    elif isinstance(error, requests.HTTPError) and error.response is not None:
        status, challenge = error.response.status_code, error.response.headers.get("WWW-Authenticate", "")
        known = explanation(API, bearer_problem(challenge) or ("5xx" if status >= SERVER_ERROR else str(status)))
    elif isinstance(error, requests.RequestException) and REFUSED not in str(error):
        return transport_failure(error, "The request")
    elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        port = urlsplit(settings.redirect_uri).port or 80
        remedy = "Close it, or cancel the sign-in that waits there, and run the script again."
        return RedboothError("A port is in use.", why=f"{user_of(port)} is using port {port}.", remedy=remedy)
    else:
        return None
    return RedboothError(known.what, why=known.why, remedy=known.remedy, reference=known.reference)
