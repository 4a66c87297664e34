"""Loaded by every Python that a script under `redbooth-nb run` starts: its requests, too, reach only the stand-in.

Its folder is on PYTHONPATH. It needs only the standard library, since a child may be another Python without the kit.
A Python that would start without it is refused. What cannot be caught: other programs that the script starts, such as
curl or a shell with a Python in it, a Python before 3.8, connections to Redbooth's numeric address or through a proxy
that code opens by itself, and code that is not Python.
"""

from __future__ import annotations  # a child may be an older Python

import importlib.util
import os
import re
import sys
from contextlib import suppress
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import SimpleNamespace
from typing import Any

REFUSED = (
    "This request would have gone to the real redbooth.com. While a stand-in answers for it, only what the libraries "
    "requests and requests-oauthlib send to https://redbooth.com is delivered. Send it that way, or set "
    "REDBOOTH_PROVIDER=live."
)
UNDELIVERED = (
    "This Python would have started without the code that delivers requests to the stand-in, so its requests "
    "could have gone to the real redbooth.com. Start it without -I, -E or -S, and leave PYTHONPATH in its environment."
)
FOLDER = str(Path(__file__).parent.absolute())
PYTHON = re.compile(r"(python|pypy)[\d.]*w?(\.exe)?", re.IGNORECASE)
# options joined by \0, before -c, -m or a script: -W and -X take a value
SKIPS_THIS_FILE = re.compile(
    r"(-[^-\0cmWX]*([WX]\0?[^\0]*)?\0|--check-hash-based-pycs\0[^\0]*\0|--[^\0]*\0)*-[^-\0cmWX]*[IES]"
)
# what a proxy is asked for, from the first bytes sent to it
ASKED = re.compile(rb"(?:CONNECT |[A-Z]{1,20} https?://)(?:[^/\s@]*@)?([^/:?#\s]+)", re.IGNORECASE)
BYTES = (bytes, bytearray, memoryview)


def is_redbooth(host: Any) -> bool:
    """Whether a host, as text or bytes, is redbooth.com or below it, however it is spelled."""
    try:
        name = host.encode("idna") if isinstance(host, str) else bytes(host) if isinstance(host, BYTES) else b""
    except UnicodeError:  # then it cannot be looked up either
        return False
    return (b"." + name.lower().rstrip(b".")).endswith(b".redbooth.com")


def refuse_redbooth(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise when this process would look up redbooth.com, ask a proxy for it, or start a Python without this file."""
    if event in {"subprocess.Popen", "os.exec", "os.posix_spawn"}:
        refuse_undelivered(arguments[0], arguments[1], arguments[-1])
    looked_up = event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
    connected = event == "socket.connect" and isinstance(arguments[1], tuple)  # by _socket, below Python's own class
    if (looked_up and is_redbooth(arguments[0])) or (connected and is_redbooth(arguments[1][0])):
        raise ConnectionRefusedError(REFUSED)
    if event == "http.client.send" and _asks_proxy(arguments[1]):
        raise ConnectionRefusedError(REFUSED)


def refuse_undelivered(program: Any, arguments: Any, environment: Any) -> None:
    """Raise PermissionError when a Python that would not load this file is about to start."""
    words = arguments.split() if isinstance(arguments, str) else [os.fsdecode(word) for word in arguments]
    if not PYTHON.fullmatch(Path(os.fsdecode(program or words[0])).name):
        return
    given = {
        os.fsdecode(name): os.fsdecode(value)
        for name, value in (os.environ if environment is None else environment).items()
    }
    before, found, _ = f"{given.get('PYTHONPATH', '')}{os.pathsep}".partition(f"{FOLDER}{os.pathsep}")
    hidden = any(Path(place, "sitecustomize.py").exists() for place in before.split(os.pathsep) if place)
    if not found or hidden or SKIPS_THIS_FILE.match("\0".join(words[1:])):
        raise PermissionError(UNDELIVERED)


def _asks_proxy(data: Any) -> bool:
    asked = ASKED.match(data) if isinstance(data, BYTES) else None
    return asked is not None and is_redbooth(asked[1])


def refuse_names(socket: Any) -> None:
    """Keep sockets from looking up redbooth.com before the audit hook is called, and from asking a proxy for it."""

    def checked(own: Any) -> Any:
        def call(this: Any, *arguments: Any) -> Any:
            for given in arguments:
                if given and isinstance(given, tuple) and is_redbooth(given[0]):
                    raise ConnectionRefusedError(REFUSED)
                if _asks_proxy(given):  # not every library uses http.client
                    raise RuntimeError(REFUSED)  # an OSError would count as a proxy that hangs up
            return own(this, *arguments)

        return call

    for name in {"connect", "connect_ex", "send", "sendall", "sendto", "sendmsg"} & {*dir(socket.socket)}:
        setattr(socket.socket, name, checked(getattr(socket.socket, name)))  # Windows has no sendmsg


def deliver_sessions(sessions: Any) -> None:
    """Let every `requests.Session` of this process reach the current provider, whatever else is mounted on it."""
    own = sessions.Session.get_adapter

    def get_adapter(session: Any, url: str) -> Any:
        with suppress(ModuleNotFoundError):  # another Python, without the kit: then the request is refused
            from redbooth_nb.provider.delivery import current_provider, guides_spelling

            met = os.environ.get("REDBOOTH_PROVIDER") == "recorded" or guides_spelling(url)  # it answers all
            if met and "get_adapter" not in vars(session):
                current_provider().deliver(session)  # which gives it a method of its own
                return vars(session).get("get_adapter", partial(own, session))(url=url)
        return own(session, url)

    sessions.Session.get_adapter = get_adapter


def open_at_provider(webbrowser: Any) -> None:
    """Let `webbrowser` open Redbooth's pages at the current provider, even in a browser from `webbrowser.get`."""
    webbrowser.open = partial(_open_here, webbrowser.open)
    own = webbrowser.get

    def get(*arguments: Any, **named: Any) -> Any:
        browser = own(*arguments, **named)
        browser.open = partial(_open_here, partial(type(browser).open, browser))
        return browser

    webbrowser.get = get


def _open_here(own: Any, *arguments: Any, **named: Any) -> bool:
    with suppress(ModuleNotFoundError):
        from redbooth_nb.run import open_page

        return open_page(own, *arguments, **named)
    return False


CHANGES = {"requests.sessions": deliver_sessions, "webbrowser": open_at_provider, "socket": refuse_names}


def _find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
    spec = PathFinder.find_spec(name, path, target) if name in CHANGES else None
    if spec:  # it is changed as soon as it is loaded
        loader: Any = spec.loader
        load = loader.exec_module
        loader.exec_module = lambda module: (load(module), CHANGES[name](module))
    return spec


def start() -> None:
    """Deliver what this process sends to Redbooth, and refuse what cannot be delivered."""
    sys.addaudithook(refuse_redbooth)
    sys.meta_path.insert(0, SimpleNamespace(find_spec=_find_spec))
    for name in CHANGES.keys() & sys.modules.keys():
        CHANGES[name](sys.modules[name])


if __name__ == "sitecustomize":
    start()
    others = [place for place in sys.path if Path(place).absolute() != Path(FOLDER)]
    hidden = PathFinder.find_spec("sitecustomize", others)  # this file took the place of another one
    if hidden and hidden.loader:
        hidden.loader.exec_module(importlib.util.module_from_spec(hidden))
