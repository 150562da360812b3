"""Ports for servers that are named before they listen.

A port that the system hands out may be taken again before the server listens: every connection and every other listener
of the tests gets one from the same range. So these come from below that range, and from a share of each worker's own.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from typing import Final

FIRST: Final = 20_000
LAST: Final = 32_000
"""Linux hands out ports from 32768 on by itself, other systems from 49152 on."""

SHARES: Final = 16


def _ports() -> Iterator[int]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    size = (LAST - FIRST) // SHARES
    first = FIRST + size * (int(worker) % SHARES)
    begin = os.getpid() * 7 % size  # two runs at once begin at different places
    return cycle([*range(first + begin, first + size), *range(first, first + begin)])


_NEXT: Final = _ports()


def free_port() -> int:
    """Return a port of loopback that nothing listens on, and that this process has not returned for a while."""
    for port in _NEXT:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("There are ports without end.")
