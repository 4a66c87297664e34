"""Stage 2, what the browser meets at the redirect URI: it shows nothing of what it was sent, and logs nothing."""

import os
import socket
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Final, Protocol
from urllib.parse import urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.state import StateAlreadyUsed
from redbooth_nb.errors import RedboothError

SLOWEST_BROWSER: Final = 5.0  # seconds to send a request

PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}}</style>
<main><h1>{title}</h1><p>{text}</p></main></html>"""


class Receiver(Protocol):
    """Who waits for the answer to `request`. response: the answer, once it was taken."""

    request: AuthorizationRequest
    response: AuthorizationResponse | None

    @property
    def hosts(self) -> set[str]:
        """What a browser sends as `Host`."""

    @property
    def path(self) -> str:
        """The path of the redirect URI."""

    def take(self, callback_url: str) -> AuthorizationResponse:
        """Take an answer. Raises CallbackError or StateError when it is not the one."""

    def finish(self) -> None:
        """Stop after an answer was taken."""


class CallbackServer(ThreadingMixIn, TCPServer):
    """Serves `receiver` on a loopback address and port. Raises OSError when the port is taken."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two programs share the port

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """Say nothing: port scans and broken connections are no news, and a trace would hold secrets."""


class _Handler(BaseHTTPRequestHandler):
    server: CallbackServer
    timeout = SLOWEST_BROWSER
    server_version = "redbooth-nb"
    sys_version = ""

    def do_GET(self) -> None:
        receiver = self.server.receiver
        if self.headers.get("Host", "") not in receiver.hosts or not self.path.startswith("/"):
            return self._page(400, "Wrong address", "This page only answers on its own address.")
        if urlsplit(self.path).path != receiver.path:
            return self._page(404, "Nothing here", "Only the redirect URI is answered.")
        if receiver.response is not None:
            return self._page(410, "Already answered", "The notebook has its answer. You can close this tab.")
        own = urlsplit(receiver.request.redirect_uri)
        try:
            response = receiver.take(f"{own.scheme}://{own.netloc}{self.path}")
        except StateAlreadyUsed:
            return self._page(410, "Already answered", "The notebook has its answer. You can close this tab.")
        except RedboothError as error:
            return self._page(400, "Not the answer", f"{error.what} The notebook is still waiting.")
        words = {"allowed": "You allowed access", "denied": "You denied access"}
        title = words.get(response.outcome, "Redbooth reported an error")
        try:
            self._page(200, title, "You can close this tab and go back to the notebook.")
        finally:  # also where the tab was closed already: the answer is taken
            receiver.finish()
        return None

    def _page(self, status: int, title: str, text: str) -> None:
        body = PAGE.format(title=title, text=text).encode()  # our own sentences only, nothing of the request
        self.send_response_only(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()

    def send_error(self, code: int, *_: object) -> None:
        """Answer what is no GET of a browser with a page of our own: the standard one repeats what was sent."""
        self._page(code, "Not understood", "Only the redirect URI is answered.")

    def log_message(self, *_: object) -> None:
        """Say nothing: the address holds the code."""
