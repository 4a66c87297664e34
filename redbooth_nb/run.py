"""`redbooth-nb run app.py`: an unchanged script, delivered to the current provider."""

import atexit
import errno
import json
import logging
import os
import runpy
import sys
import threading
import traceback
import urllib.request
import webbrowser
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from redbooth_nb.child_processes import sitecustomize
from redbooth_nb.client.errors import failure
from redbooth_nb.client.register import Settings
from redbooth_nb.client.token import TokenStore
from redbooth_nb.client.wire import connect
from redbooth_nb.configuration import Configuration, port_holder
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.addresses import AUTHORIZE_URL
from redbooth_nb.provider.delivery import current_provider, guides_spelling
from redbooth_nb.provider.visitor import press
from redbooth_nb.secret import Secret
from redbooth_nb.traffic.redaction import (
    SECRET_FIELDS,
    hide_in_text,
)  # early: at the end of a script nothing can be imported
from redbooth_nb.traffic.transcript import transcript

_printing = threading.RLock()  # the output of a hook is collected, and there is only one sys.stderr


def run(arguments: list[str]) -> int:
    """Run a script as `python app.py` would; only the delivery of https://redbooth.com differs.

    The script finds the current provider's credentials in its environment. A page it opens is opened at the
    provider, or, where nobody is at the browser, Allow is pressed. What it and the Python programs it starts send to
    Redbooth reaches the provider; on a stand-in, what cannot be delivered is refused, except what other programs send
    (see child_processes). Secrets are hidden in what Python itself prints in this process about the script's end and
    about exceptions that nobody handles. Raises RedboothError without a script.
    """
    script = Path(arguments[0] if arguments else "")
    if not script.is_file() or script.suffix == ".ipynb":
        problem = "a_notebook" if script.is_file() else "no_script" if arguments else "which_script"
        raise RedboothError.named(problem, script=script, folder=Path.cwd())
    settings = Settings.load()
    os.environ |= {"REDBOOTH_CLIENT_ID": settings.client_id, "REDBOOTH_REDIRECT_URI": settings.redirect_uri}
    os.environ["REDBOOTH_CLIENT_SECRET"] = settings.client_secret.reveal()
    if settings.provider.kind == "live":
        webbrowser.open = partial(open_page, webbrowser.open)
    else:
        _deliver()
    _remember_stored(settings, script)
    _note_answers()
    # in what Python prints about other exceptions: in threads, tasks, finalizers, at exit
    hooks = ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (logging.lastResort, "emit"))
    for place, name in hooks:
        setattr(place, name, partial(_hidden, getattr(place, name)))
    if os.environ.get("REDBOOTH_IN_NOTEBOOK"):
        atexit.register(_print_sent)
    sys.argv = arguments
    sys.path.insert(0, str(script.parent.absolute()))
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ending:  # as Python does: a text is printed, and means failure
        if ending.code is None or isinstance(ending.code, int):
            raise
        print(hide_in_text(str(ending.code)), file=sys.stderr)
        return 1
    except Exception as error:
        print(_shown(error, script, settings), end="", file=sys.stderr)
        return 1
    return 0


def _print_sent() -> None:
    """Print what the script sent; what the user's browser sent is not part of it."""
    own = [f"    {trip.label} -> {trip.status}" for trip in transcript if trip.address != AUTHORIZE_URL]
    print("\n".join(["", "Sent to Redbooth:", *own] if own else ["", "It sent nothing to Redbooth."]), flush=True)


def _deliver() -> None:
    """Deliver what this process and its children send to Redbooth; children take the same route everywhere."""
    configuration = Configuration.read()
    os.environ["REDBOOTH_PROVIDER"] = configuration.get("REDBOOTH_PROVIDER", "sandbox")
    os.environ["REDBOOTH_STATE_DIR"] = str(configuration.state_dir)
    # a proxy would look redbooth.com up by itself
    for name, first, separator in (("PYTHONPATH", sitecustomize.FOLDER, os.pathsep), ("NO_PROXY", "redbooth.com", ",")):
        os.environ[name] = separator.join(filter(None, [first, os.environ.get(name, "")]))
    sitecustomize.start()


def _note_answers() -> None:
    """Let the kit know the secrets in Redbooth's answers to the script, so that it can hide them in what is printed."""
    own = requests.Session.send

    def send(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = own(session, request, **options)
        if guides_spelling(answer.url):
            transcript.note(answer, stream=options.get("stream", False))
        return answer

    setattr(requests.Session, "send", send)


def _remember_stored(settings: Settings, script: Path) -> None:
    """Let the kit know the tokens that are stored, its own and those of the app to take home, for the same reason."""
    with suppress(RedboothError):
        TokenStore(settings.folder).load()
    for file in (script.with_name("my_redbooth_token.json"), Path("my_redbooth_token.json")):
        with suppress(OSError, ValueError, AttributeError, RecursionError):
            stored = json.loads(file.read_text(encoding="utf-8-sig")) if file.is_file() else {}
            for name, value in stored.items():
                if name in SECRET_FIELDS:
                    Secret(SECRET_FIELDS[name], str(value))


def _shown(error: Exception, script: Path, settings: Settings) -> str:
    """Return the traceback as Python shows it, from the script's own frames on, without secrets, and what to do."""
    from oauthlib.oauth2 import OAuth2Error  # what only a failure needs

    from redbooth_nb.foreign_errors import meaning_of_error

    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != str(script):
        frames = frames.tb_next
    text = hide_in_text("".join(traceback.format_exception(type(error), error, frames)))
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        port = urlsplit(settings.redirect_uri).port or 80
        user = port_holder(Configuration.read().state_dir / f"listener-{port}.json")
        text += f"{failure(RedboothError, 'listener', 'in_use', port=port, holder=user)}\n"
    elif isinstance(error, OAuth2Error | requests.RequestException) and sitecustomize.REFUSED not in str(error):
        text += f"{meaning_of_error(error)}\n"
    return text


def _hidden(hook: Callable[..., None], *arguments: object) -> None:
    """Let a hook print, and hide the secrets in it."""
    with _printing, redirect_stderr(StringIO()) as text:
        hook(*arguments)
    print(hide_in_text(text.getvalue()), end="", file=sys.stderr)


def open_page(really_open: Callable[..., bool], url: str, *rest: object, **more: object) -> bool:
    """Open a page of Redbooth's at the current provider, or press Allow where nobody is at the browser.

    Any other page is opened as it is.
    """
    provider, page = current_provider(), guides_spelling(url)
    if not page:
        return _open(really_open, url, *rest, **more)
    if Configuration.read().unattended and provider.kind != "live":
        address = press(connect(requests.Session()), page, os.environ["REDBOOTH_REDIRECT_URI"], "allow")
        # as a browser does: to the address itself, past any proxy and any delivery; the script listens after this
        browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        threading.Thread(target=browser.open, args=[address, None, 30], daemon=True).start()
        return True
    if os.environ.get("REDBOOTH_IN_NOTEBOOK") and provider.kind != "live":
        print(f"Sign in: {page}", flush=True)  # the notebook that started the script opens it in a window
        return True
    link = url if provider.kind == "live" else provider.link(page)
    print(f"Sign in: {link}", flush=True)  # where no browser opens, this is the way
    _open(really_open, link, *rest, **more)
    return True  # with the line above a person can go on, whether a browser opened or not


def _open(really_open: Callable[..., bool], url: str, *rest: object, **more: object) -> bool:
    """Open a page in a browser, which inherits the environment, but not the secret in it."""
    secret = os.environ.pop("REDBOOTH_CLIENT_SECRET", None)
    try:
        return really_open(url, *rest, **more)
    finally:
        os.environ |= {"REDBOOTH_CLIENT_SECRET": secret} if secret else {}
