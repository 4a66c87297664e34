"""A small web server on this machine that answers GET requests with a page. It knows nothing of OAuth2.

It shows nothing of what it was sent and logs nothing: the address holds the code. Memory, time and the number of
connections are bounded, no matter who connects.
"""

import asyncio
import errno
import html
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

HTTP_PORT = 80  # browsers leave it out
SLOWEST_REQUEST = 5.0  # seconds, all of it
LARGEST_REQUEST = 96 * 1024  # bytes of request line and headers
MOST_CONNECTIONS = 16  # open at once and silent; when one more arrives, the oldest is closed
HEADERS = (
    "Content-Type: text/html; charset=utf-8",
    "Cache-Control: no-store",
    "Referrer-Policy: no-referrer",
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
)


@dataclass(frozen=True)
class Page:
    """What the browser gets to see: our own sentences only."""

    status: int
    title: str
    text: str

    def encoded(self) -> bytes:
        template = Template(Path(__file__).with_name("callback.html").read_text(encoding="utf-8"))
        body = template.substitute(title=self.title, text=html.escape(self.text)).encode()
        head = [f"HTTP/1.1 {self.status} ", *HEADERS, f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(head).encode() + body


class LoopbackServer(threading.Thread):
    """Listens on a loopback host and port from the moment it is made. Raises OSError when it cannot.

    It answers after `start()`, for `seconds` at most; connections that arrive earlier are queued.
    answer: called with path and query of each GET request. on_end: called at the end.
    For `localhost` it takes both loopback addresses, so that no other program can receive the callback on one of them.
    """

    def __init__(
        self, host: str, port: int, seconds: float, answer: Callable[[str], Page], on_end: Callable[[], object]
    ) -> None:
        super().__init__(name="callback listener", daemon=True)
        self._seconds, self._answer, self._on_end = seconds, answer, on_end
        self._hosts = host_names(port)
        self._sockets = open_sockets(host, port)
        self._silent: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}  # have not asked yet, the oldest first
        self._stopped = asyncio.Event()
        self._loop = asyncio.new_event_loop()

    def stop(self) -> None:
        """Stop, and wait for the end, except in its own thread. Requests that have arrived are still answered."""
        with suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._stopped.set)
        if self is not threading.current_thread():
            self.join(SLOWEST_REQUEST)

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # it cancels what is left at the end
                runner.run(self._serve())
        finally:
            self.close()
            self._on_end()

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # broken connections aren't worth reporting
        servers = [await asyncio.start_server(self._accept, sock=s, limit=LARGEST_REQUEST) for s in self._sockets]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), self._seconds)
        self._stopped.set()
        for listening in self._sockets:
            with suppress(NotImplementedError):  # Windows
                self._loop.remove_reader(listening.fileno())
        for writer in self._silent:
            writer.transport.abort()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:  # they end while their server is still open
            await asyncio.wait(others, timeout=SLOWEST_REQUEST)
        for server in servers:
            server.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Start answering, unless the server has been stopped in the meantime."""
        if self._stopped.is_set():
            writer.transport.abort()
            return
        self._silent[writer] = self._loop.create_task(self._one(reader, writer))
        if len(self._silent) > MOST_CONNECTIONS:
            oldest = next(iter(self._silent))
            del self._silent[oldest]
            oldest.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SLOWEST_REQUEST):
                head = await reader.readuntil(b"\r\n\r\n")
                self._silent.pop(writer, None)
                writer.write(self._page(head).encoded())
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            writer.close()
            self._silent.pop(writer, None)

    def _page(self, head: bytes) -> Page:
        line, *headers = head.decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        target, _, version = rest.partition(" ")
        fields = [header.partition(":") for header in headers]
        hosts = [value.strip() for name, _, value in fields if name.lower() == "host"]
        if method != "GET":
            return Page(501, "Not understood", "Only requests to the redirect URI are answered.")
        if not target.startswith("/") or not version.startswith("HTTP/1.") or len(hosts) != 1:
            return Page(400, "Not understood", "Only requests to the redirect URI are answered.")
        if hosts[0] not in self._hosts:
            return Page(400, "Wrong address", "This server answers only at its own address.")
        return self._answer(target)

    def close(self) -> None:
        """Close the sockets and the event loop of a server that was never started; `run` does so at its end."""
        for listening in self._sockets:
            listening.close()
        self._loop.close()


def host_names(port: int) -> set[str]:
    """Return what a browser may send as `Host`; any other name is an attack (DNS rebinding)."""
    names = {"127.0.0.1", "localhost", "[::1]"}
    return {f"{name}:{port}" for name in names} | (names if port == HTTP_PORT else set())


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets for a host. Raises OSError when one is in use; without IPv6, one is enough."""
    found: list[socket.socket] = []
    with ExitStack() as opened:  # an error closes what is open by then
        for address in ("127.0.0.1", "::1") if host == "localhost" else (host,):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                found.append(opened.enter_context(socket.create_server((address, port), family=family)))
            except OSError as error:
                if not found or error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    raise
        opened.pop_all()
    return found
