"""The sockets of `serve --http`, bound before anything else starts, so that a port in use is reported in one line."""

import os
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Final

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class NotProtected(Exception):
    """The server would listen beyond this machine without a token."""


class CannotListen(Exception):
    """The address cannot be listened on."""


@contextmanager
def bind_sockets(host: str, port: int) -> Generator[list[socket.socket]]:
    """Listen on every address of a host; `localhost` may have two, and port 0 takes a free one.

    Raises:
        CannotListen: The port is in use, or the host is not one of this machine.
    """
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        try:
            for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                # With its protocol named, asyncio sends small answers at once.
                sockets.append(stack.enter_context(socket.socket(family, kind, protocol)))
                _listen(sockets[-1], (address[0], port or port_of(sockets), *address[2:]))
        except OSError as failed:
            raise CannotListen(f"Cannot listen on {host}, port {port}: {failed.strerror or failed}.") from None
        yield sockets


def port_of(sockets: list[socket.socket]) -> int:
    """Return the port that sockets listen on; 0 before the first one does."""
    return int(sockets[0].getsockname()[1])


def _listen(listener: socket.socket, address: tuple[str | int, ...]) -> None:
    if os.name == "posix":  # elsewhere it would let another process listen beside this one
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
    listener.listen()
