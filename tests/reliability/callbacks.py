"""Whatever knocks at the listener: the kit's own errors, nothing spent, nothing reflected, nothing left behind."""

import random
import string
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from socket import SHUT_WR, create_connection
from urllib.parse import quote, urlencode, urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.callback import SignIn
from redbooth_nb.client.errors import CallbackError

QUICK = 10  # seconds for what takes milliseconds
MIRROR = "mirror"  # stands in everything that is sent, and must not come back
NAMES = ("code", "state", "error", "error_description", "access_token", "token_type", "expires_in", "scope", "attempt",
         "utm", "", "code[]", "State", "%63ode")  # fmt: skip
PIECES = ("%", "%00", "%zz", "%ff%fe", "://", "//", "[", "]", "@", ":", ";", "&", "?", "#", "=", "\\", "..", "\x00",
          "\r\nX: y", "<script>", "\ud800", "\u00e9", "\U0001f511", "{}", "%s", "' OR 1=1 --", "\u202e")  # fmt: skip


def port_of(listener: SignIn) -> int:
    """Return the port of the redirect URI."""
    return urlsplit(listener.request.redirect_uri).port or 80


def ended(listener: SignIn) -> bool:
    """Wait until nothing listens any more, whatever ended it; return whether that is so."""
    server = listener._server
    if server is not None:
        server.join(QUICK)
    return server is None or not server.is_alive()


def good(request: AuthorizationRequest, **fields: str) -> str:
    """Return path and query of the right answer."""
    return "/callback?" + urlencode({"code": "code-of-the-user", "state": request.state, **fields})


def browse(listener: SignIn, path: str, method: str = "GET", host: str = "") -> tuple[int, dict[str, str], str]:
    """Ask as a browser does; return status, headers and page."""
    with closing(HTTPConnection("127.0.0.1", port_of(listener), timeout=QUICK)) as browser:
        browser.request(method, path, headers={"Host": host} if host else {})
        answer = browser.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()


def throw(listener: SignIn, raw: bytes) -> bytes:
    """Send raw bytes, as a port scan does; return whatever came back."""
    answer = b""
    with closing(create_connection(("127.0.0.1", port_of(listener)), QUICK)) as browser, suppress(ConnectionError):
        browser.sendall(raw)
        browser.shutdown(SHUT_WR)
        while more := browser.recv(65_536):
            answer += more
    return answer


@dataclass
class Found:
    """What came of it: how many of each kind, and what should not have been."""

    kinds: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def count(self, kind: str) -> None:
        """Count one of this kind."""
        self.kinds[kind] = self.kinds.get(kind, 0) + 1


def junk(chance: random.Random) -> str:
    """Return some text that no answer holds."""
    kind = chance.randrange(5)
    if kind == 0:
        return MIRROR + "".join(chance.choices(string.printable, k=chance.randrange(40)))
    if kind == 1:
        return "".join(chance.choices(PIECES, k=chance.randrange(1, 8))) + MIRROR
    if kind == 2:
        return chance.randbytes(chance.randrange(60)).decode("latin-1") + MIRROR
    if kind == 3:
        return quote(chance.randbytes(chance.randrange(60))) + MIRROR
    return MIRROR * chance.choice((1, 2, 3, 500 if chance.random() < 0.01 else 4))


def wrong_url(request: AuthorizationRequest, chance: random.Random) -> str:
    """Return an address that is not the answer: a spoilt good one, or something quite different."""
    pairs = [("code", junk(chance)), ("state", request.state)]
    spoil = chance.randrange(8)
    if spoil == 0:
        pairs[1] = ("state", junk(chance))
    elif spoil == 1:
        del pairs[1]
    elif spoil == 2:
        pairs.append(("state", request.state))
    elif spoil == 3:
        pairs.append((chance.choice(("code", "state", "error")), junk(chance)) if chance.random() < 0.5 else pairs[0])
        pairs.append(("code", junk(chance)))
    elif spoil == 4:
        pairs[0] = (chance.choice(("utm", "Code", "code[]", "")), junk(chance))
    base = request.redirect_uri
    if spoil == 5:
        base = base.replace("127.0.0.1", chance.choice(("127.0.0.2", "localhost", "evil.example", "[::1]", "", "[")))
    elif spoil == 6:
        base = base[: chance.randrange(len(base))] + chance.choice(PIECES)
    pairs += [(chance.choice(NAMES[9:]), junk(chance)) for _ in range(chance.randrange(3))]
    chance.shuffle(pairs)
    if spoil == 7:
        return chance.choice(("", base, base + "?", base + "#", "http:")) + junk(chance)
    if chance.random() < 0.3:
        text = "&".join(f"{name}={value}" for name, value in [*pairs, ("state", junk(chance))])
        return f"{base}?" + text.replace("#", "%23")  # what stands behind it would be no part of the answer
    return f"{base}{chance.choice('?????#')}" + urlencode(pairs, errors="replace")


def urls(listener: SignIn, number: int, seed: int = 1) -> Found:
    """Hand so many wrong addresses to the listener, as a browser or a paste does."""
    chance, found = random.Random(seed), Found()  # noqa: S311
    for _ in range(number):
        url = wrong_url(listener.request, chance)
        try:
            listener.paste(url)
        except CallbackError as error:
            found.count(type(error).__name__)
            if MIRROR in str(error):
                found.wrong.append(f"reflected: {url!r}")
        except Exception as error:  # noqa: BLE001  (it is what is looked for)
            found.wrong.append(f"{type(error).__name__}: {url!r}")
        else:
            found.wrong.append(f"taken: {url!r}")
    return found


def wrong_bytes(listener: SignIn, chance: random.Random) -> bytes:  # noqa: PLR0911  (a kind each)
    """Return what no browser of the learner sends."""
    host = f"127.0.0.1:{port_of(listener)}"
    query = urlencode({"code": MIRROR, "state": listener.request.state})
    right = f"GET /callback?{query} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    kind = chance.randrange(7)
    if kind == 0:
        return chance.randbytes(chance.randrange(600))
    if kind == 1:  # a good request that ends too early: before its empty line it is none
        return right[: chance.randrange(len(right) - 40)]
    if kind == 2:
        method = chance.choice((b"POST", b"HEAD", b"PUT", b"OPTIONS", b"get", b"<b>", b"CONNECT", b"\x16\x03\x01"))
        return right.replace(b"GET", method, 1)
    if kind == 3:
        strange = chance.choice(
            (b"evil.example", b"127.0.0.1", b"", b"localhost.evil.example:1", b"\xff", MIRROR.encode())
        )
        return right.replace(host.encode(), strange)
    if kind == 4:
        return right.replace(
            listener.request.state.encode(), chance.choice((b"", b"x", b"%ff", MIRROR.encode(), b"\x00"))
        )
    if kind == 5:
        path = chance.choice(
            (b"/favicon.ico", b"/x//callback", b"/callback/..", b"/%63allback", b"http://x/callback", b"*")
        )
        return right.replace(b"/callback", path, 1)
    place = chance.randrange(len(b"GET /callback"))  # any byte but white space, which http.server takes for a space
    other = chance.choice([byte for byte in range(256) if byte != right[place] and not chr(byte).isspace()])
    return right[:place] + bytes([other]) + right[place + 1 :]


def raw(listener: SignIn, number: int, seed: int = 1) -> Found:
    """Throw so many byte strings at the socket."""
    chance, found = random.Random(seed), Found()  # noqa: S311
    for _ in range(number):
        sent = wrong_bytes(listener, chance)
        answer = throw(listener, sent)
        found.count(answer[9:12].decode() if answer.startswith(b"HTTP") else "page only" if answer else "closed")
        if MIRROR.encode() in answer or b"Traceback" in answer or answer[9:12] == b"200":
            found.wrong.append(repr(sent))
        if listener.status != "waiting":
            found.wrong.append(f"ended by {sent!r}")
            break
    return found


def still_waits(listener: SignIn) -> list[str]:
    """Say what is wrong with a listener that should be alive, its slot unspent; the right answer is still taken."""
    if listener.status != "waiting":
        return [f"it is {listener.status}"]
    wrong = []
    wrong += ["answered before"] if PendingAuthorization(listener.request.settings).load()["answered"] else []
    wrong += [] if browse(listener, good(listener.request))[0] == 200 and listener.wait(QUICK) else ["no answer"]
    return wrong


def descriptors() -> int:
    """Count the open descriptors of this process, where that can be seen."""
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


def cycles(listen: Callable[[AuthorizationRequest], SignIn], sent: AuthorizationRequest, number: int) -> str:
    """Start and stop so many listeners, by cancel and by answer; return what they left behind."""
    before, threads = descriptors(), set(threading.enumerate())
    for turn in range(number):
        request = AuthorizationRequest.new(sent.settings)
        listener = listen(request)
        if turn % 2:
            browse(listener, "/favicon.ico")
            listener.cancel()
        else:
            browse(listener, good(request))
            listener.wait(QUICK)
        for thread in set(threading.enumerate()) - threads:
            thread.join(QUICK)
    left = {
        "descriptors": descriptors() - before,  # less, where a connection of an earlier test ended meanwhile
        "threads": len(set(threading.enumerate()) - threads),
        "notes": len(list(sent.settings.folder.parents[1].glob("listener-*"))),
    }
    return ", ".join(f"{count} {name}" for name, count in left.items() if count > 0)
