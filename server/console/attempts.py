"""Limits how often the passcode is tried: by source, over all sources, and apart from both for a known browser.

Whoever reaches the page can use up the tries of others: programs on one machine have one address. So a browser that
signed in before has tries of its own, and the command line, the last way in, has no limit.
"""

import hmac
import secrets
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.requests import Request

from clients.errors import LimitReached
from clients.shared.limits import Limit
from server.console.passcode import fingerprint
from server.store.store import Store

LIFETIME: Final = timedelta(days=180)
"""How long a browser stays known after a sign-in."""

BUCKETS: Final = 1024
"""Sources are counted in so many buckets, so that a flood from many addresses does not fill the store."""

_PURPOSE: Final = "known browser"


class Attempts:
    """Counts attempts to sign in, over all processes on a store, and recognises browsers that signed in before."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def cookie_name(self) -> str:
        """Name the cookie after the key, as the session's."""
        return f"ringfence_browser_{self._store.seal.derive('approval cookie').hex()[:8]}"

    async def take(self, request: Request) -> None:
        """Count one attempt.

        Raises:
            LimitReached: There were too many of this browser, from this source, or in all.
        """
        browser = await self.known_browser(request)
        for limit in _limits_of(f"browser {browser}") if browser else self._limits(request):
            await self._store.limits.take(limit)

    async def known_browser(self, request: Request) -> str | None:
        """Return the id of a browser that signed in with the passcode of today; None for any other."""
        browser, _, signature = request.cookies.get(self.cookie_name, "").partition(".")
        expected = await self._sign(browser)
        return browser if hmac.compare_digest(expected.encode("utf-8"), signature.encode("utf-8")) else None

    async def cookie_for(self, request: Request) -> str:
        """Return the cookie by which a browser that just signed in is known from now on."""
        browser = await self.known_browser(request) or secrets.token_hex(8)
        return f"{browser}.{await self._sign(browser)}"

    def _limits(self, request: Request) -> tuple[Limit, ...]:
        """Return the limits of an unknown browser: its source's first, so that one source does not use up them all."""
        source = hmac.digest(self._store.seal.derive(_PURPOSE), _source_of(request).encode("utf-8"), "sha256")
        bucket = int.from_bytes(source[:4], "big") % BUCKETS
        return (
            *_limits_of(f"source {bucket}"),
            Limit("approval sign-in, a minute", 20, 60),
            Limit("approval sign-in, an hour", 100, 3600),
        )

    async def _sign(self, browser: str) -> str:
        text = f"{browser} {await fingerprint(self._store.key_values)}"
        return hmac.digest(self._store.seal.derive(_PURPOSE), text.encode("utf-8"), "sha256").hex()


def retry_after(reached: LimitReached) -> int:
    """Return after how many seconds another attempt may be made."""
    return max(1, round(reached.retry_after or 60))


def _limits_of(whose: str) -> tuple[Limit, ...]:
    return (
        Limit(f"approval sign-in, {whose}, a minute", 5, 60),
        Limit(f"approval sign-in, {whose}, an hour", 20, 3600),
    )


def _source_of(request: Request) -> str:
    """Return the address that a request came from; of IPv6 the network, in which one machine has many addresses."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)
