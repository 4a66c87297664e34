"""Loaded by every kernel that validates a notebook: no socket reaches beyond this machine."""

import sys

LOOPBACK = ("127.", "::1", "localhost")


def refuse_strangers(event: str, arguments: tuple[object, ...]) -> None:
    """Raise when a socket is about to connect or a name is about to be looked up outside this machine."""
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = (arguments[0],)
    else:
        return
    if isinstance(address, tuple) and address[0] and not str(address[0]).startswith(LOOPBACK):
        raise ConnectionRefusedError(f"A notebook under validation tried to reach {address[0]}.")


sys.addaudithook(refuse_strangers)
