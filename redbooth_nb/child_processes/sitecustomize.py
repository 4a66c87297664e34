"""Loaded by every Python that a script under `redbooth-nb run` starts: its requests, too, reach only the stand-in.

Its folder is on PYTHONPATH. It needs only the standard library, since a child may be another Python without the kit.
"""

import importlib.util
import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REFUSED = (
    "This request would have gone to the real redbooth.com. redbooth-nb run delivers only what requests and "
    "requests-oauthlib send to https://redbooth.com. Use one of them, or run the script with plain python."
)


def is_redbooth(host: Any) -> bool:
    """Whether a host, as text or bytes, is redbooth.com or below it, however it is spelled."""
    try:
        name = host.encode("idna") if isinstance(host, str) else bytes(host or b"")
    except UnicodeError:  # then it cannot be looked up either
        return False
    return (b"." + name.lower().rstrip(b".")).endswith(b".redbooth.com")


def refuse_redbooth(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise when this process is about to look up redbooth.com, or to ask a proxy for it (an audit hook)."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        hosts = [arguments[0]]
    elif event == "http.client.connect":
        hosts = [arguments[1], getattr(arguments[0], "_tunnel_host", None)]
    elif event == "urllib.Request":
        hosts = [urlsplit(str(arguments[0])).hostname]
    else:
        return
    if any(is_redbooth(host) for host in hosts):
        raise ConnectionRefusedError(REFUSED)


def deliver_sessions(sessions: Any) -> None:
    """Let every `requests.Session` of this process reach the current provider, whatever else is mounted on it."""
    own = sessions.Session.get_adapter

    def get_adapter(session: Any, url: str) -> Any:
        with suppress(ModuleNotFoundError):  # another Python, without the kit: then the request is refused
            from redbooth_nb.provider.delivery import mounted_delivery

            return mounted_delivery(session, url) or own(session, url)
        return own(session, url)

    sessions.Session.get_adapter = get_adapter


def open_at_provider(webbrowser: Any) -> None:
    """Let `webbrowser.open` open Redbooth's pages at the current provider."""
    own = webbrowser.open

    def open_here(*arguments: Any, **named: Any) -> bool:
        with suppress(ModuleNotFoundError):
            from redbooth_nb.run import open_page

            return open_page(own, *arguments, **named)
        return False

    webbrowser.open = open_here


CHANGES = {"requests.sessions": deliver_sessions, "webbrowser": open_at_provider}


class AfterImport:
    """Finds modules as usual; those in CHANGES are changed as soon as they are loaded."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's spec, None where there is nothing to change."""
        spec = PathFinder.find_spec(name, path, target) if name in CHANGES else None
        if spec:
            loader: Any = spec.loader
            load = loader.exec_module
            loader.exec_module = lambda module: (load(module), CHANGES[name](module))
        return spec


def start() -> None:
    """Deliver what this process sends to Redbooth, and refuse what cannot be delivered."""
    sys.addaudithook(refuse_redbooth)
    sys.meta_path.insert(0, AfterImport)
    for name in CHANGES.keys() & sys.modules.keys():
        CHANGES[name](sys.modules[name])


if __name__ == "sitecustomize":
    start()
    others = [place for place in sys.path if Path(place).absolute() != Path(__file__).parent.absolute()]
    hidden = PathFinder.find_spec("sitecustomize", others)  # this file took the place of another one
    if hidden and hidden.loader:
        hidden.loader.exec_module(importlib.util.module_from_spec(hidden))
