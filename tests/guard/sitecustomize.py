"""Loaded by every kernel that validates a notebook: no socket reaches beyond this machine."""

import ipaddress
import sys

NAMES_AN_ADDRESS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}  # audit event: the argument that says where to


def is_here(host: str) -> bool:
    """Whether an address or a name is this machine's own."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def refuse_strangers(event: str, arguments: tuple[object, ...]) -> None:
    """Raise when a socket is about to connect or a name is about to be looked up outside this machine."""
    if event not in NAMES_AN_ADDRESS:
        return
    address = arguments[NAMES_AN_ADDRESS[event]]
    host = address[0] if isinstance(address, tuple) else address if event.startswith("socket.get") else None
    host = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if host and not is_here(str(host)):  # none: a socket file, or one that is connected already
        raise ConnectionRefusedError(f"A notebook under validation tried to reach {host}.")


sys.addaudithook(refuse_strangers)
