"""The error that ended a script, as Python shows it, but without the kit's frames and secrets, and with a remedy."""

import errno
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import MismatchingStateError, OAuth2Error

from redbooth_nb.child_processes.sitecustomize import REFUSED
from redbooth_nb.client.errors import PortBusy, api_code, failure
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import transport_failure
from redbooth_nb.doctor import user_of
from redbooth_nb.errors import RedboothError
from redbooth_nb.traffic.redaction import hide_in_text

AT_AUTHORIZE = {"access_denied", "server_error", "temporarily_unavailable"}


def shown(error: Exception, script: Path, settings: Settings) -> str:
    """Return the traceback from the script's own frames on, without secrets, and what to do about it."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != str(script):
        frames = frames.tb_next
    advice = _advice(error, settings)
    text = "".join(traceback.format_exception(type(error), error, frames))
    return hide_in_text(text) + (f"{advice}\n" if advice else "")


def _advice(error: Exception, settings: Settings) -> RedboothError | None:
    """Return in words what ended the script, None where the traceback says it all."""
    if isinstance(error, MismatchingStateError):
        return failure(RedboothError, "state", "library")
    if isinstance(error, OAuth2Error):
        return failure(RedboothError, "authorize" if error.error in AT_AUTHORIZE else "token", error.error or "")
    if isinstance(error, requests.HTTPError) and error.response is not None:
        challenge = error.response.headers.get("WWW-Authenticate", "")
        return failure(RedboothError, "api", api_code(error.response.status_code, challenge))
    if isinstance(error, requests.RequestException) and REFUSED not in str(error):
        return transport_failure(error, "The request")
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        port = urlsplit(settings.redirect_uri).port or 80
        return failure(PortBusy, "listener", "in_use", port=port, holder=user_of(port))
    return None
