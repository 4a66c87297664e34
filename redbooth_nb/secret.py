"""A value that must not be seen by accident. Every secret of the kit is held in this type."""

import hashlib
import hmac
from collections import OrderedDict
from contextlib import suppress
from typing import NoReturn

MOST_KNOWN = 200  # secrets remembered for redaction, those met last
SHORTEST_KNOWN = 8  # characters; anything shorter would match ordinary words

_known: OrderedDict[str, "Secret"] = OrderedDict()  # each step below is whole for other threads, too


class Secret:
    """A secret that shows only its kind and a fingerprint, such as `<access token ...3f9c>`.

    The same value always has the same fingerprint (the end of its SHA-256), so two can be told apart unseen.
    It cannot be measured, iterated, pickled or written as JSON. `reveal()` is the one way to the value.
    known: whether the kit remembers it while it runs, to hide it wherever an answer repeats it. Not for a value that
    only an answer calls a secret: it could name any word.
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
        """Four hex digits that tell this value from another, and nothing else about it."""
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


def same_text(one: str, other: str) -> bool:
    """Compare two strings in a time that tells nothing about where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
