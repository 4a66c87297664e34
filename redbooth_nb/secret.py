"""A value that must not be seen by accident. Every secret of the kit is held in this type."""

import base64
import hashlib
import hmac
import html
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, reduce
from typing import NoReturn
from urllib.parse import quote, quote_plus

MOST_KNOWN = 500  # secrets remembered for redaction, those met last
SHORTEST_KNOWN = 8  # characters; anything shorter would match ordinary words

_known: OrderedDict[str, "Secret"] = OrderedDict()  # each step below is atomic for other threads, too


class Secret:
    """A secret that shows only its kind and a fingerprint, such as `<access token ...3f9c>`.

    The same value always has the same fingerprint (the end of its SHA-256), so two can be told apart unseen.
    It cannot be measured, iterated, pickled or written as JSON. `reveal()` is the one way to the value.
    known: whether the kit remembers it while it runs, to hide it wherever an answer repeats it. Not for a value that
    only an answer calls a secret: an answer could call any word that.
    """

    __slots__ = ("__value", "kind")

    def __init__(self, kind: str, value: str, *, known: bool = True) -> None:
        self.kind = kind
        self.__value = value
        if known:
            self.remember()

    def remember(self) -> None:
        """Hide this value from now on wherever an answer repeats it."""
        if len(self.__value) >= SHORTEST_KNOWN:
            _known[self.__value] = self
            with suppress(KeyError):  # it may be gone again
                _known.move_to_end(self.__value)
                if len(_known) > MOST_KNOWN:
                    _known.popitem(last=False)

    def reveal(self) -> str:
        """Return the value itself. Do not print it."""
        return self.__value

    @property
    def fingerprint(self) -> str:
        """Four hex digits that distinguish this value from others and reveal nothing else."""
        return hashlib.sha256(self.__value.encode("utf-8", "surrogatepass")).hexdigest()[-4:]

    def __repr__(self) -> str:
        return f"<{self.kind} ...{self.fingerprint}>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time; a plain string is never equal."""
        return same_text(self.__value, other.reveal()) if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self.fingerprint))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} is a secret and is not pickled. Use the token file instead.")

    __getstate__ = __reduce__


def known_secrets() -> list[Secret]:
    """Return the secrets this process met last, the longest first, so that none hides only a part of another."""
    return sorted(_known.values(), key=lambda secret: -len(secret.reveal()))


def hider(whole: str) -> Callable[[str], str]:
    """Return a function that hides the known secrets in parts of `whole`; only those that occur in it cost time."""
    known = [(_forms(secret.reveal()), repr(secret)) for secret in known_secrets()]
    found = [(form, shown) for forms, shown in known if any(form in whole for form in forms) for form in forms]
    return lambda text: reduce(lambda hidden, pair: hidden.replace(*pair), found, text)


@lru_cache(maxsize=1000)
def _forms(value: str) -> tuple[str, ...]:
    """Return how a value may be written: as it is, encoded for a URL or for HTML, and inside base64 at any offset."""
    raw = value.encode("utf-8", "surrogatepass")
    escaped, dumped = html.escape(value), json.dumps(value)[1:-1]
    forms = [value, escaped, escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")]
    forms += [dumped, dumped.replace("/", r"\/")]
    every = re.sub(r"[-_.~]", lambda found: f"%{ord(found[0]):02X}", quote(raw, safe=""))  # more than is needed
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw), every):
        forms += [encoded, re.sub("%..", lambda found: found[0].lower(), encoded)]
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        whole = encoded[(offset * 8 + 5) // 6 : (offset + len(raw)) * 8 // 6]  # without characters shared with others
        forms += [whole, whole.replace("+", "-").replace("/", "_")]
    return tuple(dict.fromkeys(forms))


def same_text(one: str, other: str) -> bool:
    """Compare two strings in a time that tells nothing about where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
