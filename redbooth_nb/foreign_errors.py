"""Errors of requests and oauthlib in the kit's words: for lessons, and for a script that one of them ended."""

import errno
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import MismatchingStateError, OAuth2Error

from redbooth_nb.child_processes.sitecustomize import REFUSED
from redbooth_nb.client.errors import PortBusy, api_meaning, failure, meaning_of
from redbooth_nb.client.loopback import holder
from redbooth_nb.client.register import Settings
from redbooth_nb.client.wire import transport_failure
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import RedboothError
from redbooth_nb.traffic.redaction import hide_in_text

AT_AUTHORIZE = {"access_denied", "server_error", "temporarily_unavailable"}


def meaning_of_error(error: OAuth2Error | requests.RequestException) -> RedboothError:
    """Return what a library's error means and what to do about it."""
    if isinstance(error, MismatchingStateError):
        return meaning_of("state", "unproven")
    if isinstance(error, OAuth2Error):
        return meaning_of("authorize" if error.error in AT_AUTHORIZE else "token", error.error or "")
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return api_meaning(error.response)
    return transport_failure(error, "The request")


def shown(error: Exception, script: Path, settings: Settings) -> str:
    """Return the traceback as Python shows it, from the script's own frames on, without secrets, and what to do."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != str(script):
        frames = frames.tb_next
    text = hide_in_text("".join(traceback.format_exception(type(error), error, frames)))
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        port = urlsplit(settings.redirect_uri).port or 80
        text += f"{failure(PortBusy, 'listener', 'in_use', port=port, holder=user_of(port))}\n"
    elif isinstance(error, OAuth2Error | requests.RequestException) and REFUSED not in str(error):
        text += f"{meaning_of_error(error)}\n"
    return text


def user_of(port: int) -> str:
    """Say who uses the port of a redirect URI: the notebook's name where it is one of the kit's."""
    return holder(Configuration.read().state_dir / f"listener-{port}.json")
