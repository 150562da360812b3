"""The pooled HTTP client that all provider clients of a process share."""

import ssl
from functools import cache, cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Self

import httpx2

IDLE_SECONDS: Final = 2.0
"""Below what servers allow: a write on a connection that they just closed would end unknown."""

IDLE_CONNECTIONS: Final = 20
"""httpx2 probes every idle connection on each request: 0.55 ms CPU with 1 idle, 0.81 with 20, 2.08 with 100."""

CONNECTIONS: Final = 100

WHOLE_ANSWER: Final = 4
"""How many times as long as the next byte a whole answer may take. The connection's timeouts count from one byte to the
next, so that a provider which sends a byte now and then would hold a call, and all that wait for it, for hours."""


class HttpPool:
    """The connection pool of a process, opened on first use.

    `given` is a pool that somebody else opened: it is used as it is, and not closed here.
    """

    def __init__(self, timeout: float = 30.0, *, given: httpx2.AsyncClient | None = None) -> None:
        self._timeout = timeout
        self._given = given
        self.answer_within = WHOLE_ANSWER * timeout
        """Seconds for one request and its whole answer."""

    @property
    def client(self) -> httpx2.AsyncClient:
        """The HTTP client over the pool."""
        return self._given or self._opened

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pool if it was opened here."""
        if "_opened" in self.__dict__:
            await self._opened.aclose()

    @cached_property
    def _opened(self) -> httpx2.AsyncClient:
        return _open(self._timeout)


def _open(timeout: float) -> httpx2.AsyncClient:
    """Open the HTTP client; clients of several accounts share it, so it keeps no cookies."""
    limits = httpx2.Limits(
        max_connections=CONNECTIONS, max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_SECONDS
    )
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx2.AsyncClient(
        verify=_trusted(), timeout=timeout, limits=limits, cookies=no_cookies, follow_redirects=False
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates that are trusted. Reading them takes longer than all else about a pool."""
    return httpx2.create_ssl_context()
