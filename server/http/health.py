"""`/healthz` and `/readyz`, for whatever restarts a server or sends it requests.

They ask for no bearer token, because a kubelet has none. So they say a few words, and no detail: the operator's page
and `ringfence doctor` have those. A kubelet calls a server by its address, which no setting knows; a name is accepted
only where the settings have it, so that no page of a stranger reads them through a name that leads here.
"""

import ipaddress
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from guard.errors import JournalUnavailable
from server.store.store import Store

ALIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"

COUNTS_FOR: Final = 1.0
"""Seconds for which an answer is given again: however often it is asked, the store is looked at once."""

PATIENCE: Final = 2.0
"""Seconds that a probe waits while another one looks, before it is told that the store answers too slowly."""

MOST_WAITING: Final = 20
"""Probes that wait while another one looks; any more are told at once what was found last."""

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a server can carry out guarded calls, in a few words."""

    is_ready: bool
    words: str


TOO_SLOW: Final = Readiness(is_ready=False, words="not ready: the store answers too slowly")


class HealthRoutes:
    """Answers whether the process lives, and whether it is ready."""

    def __init__(self, store: Store, hosts: Collection[str]) -> None:
        """`hosts` are the Host headers that are accepted besides addresses."""
        self._readiness = ReadinessCheck(store)
        self._hosts = frozenset(hosts)

    def routes(self) -> list[Route]:
        """Return both routes."""
        return [Route(ALIVE_PATH, self.answer_alive), Route(READY_PATH, self.answer_ready)]

    async def answer_alive(self, request: Request) -> Response:
        """Answer as long as the process answers at all; the store may be gone, and plain reads still work."""
        return _answer(200, "alive") if self._is_for_us(request) else _misdirected()

    async def answer_ready(self, request: Request) -> Response:
        """Answer 200 where guarded calls can be recorded, and 503 where they cannot."""
        if not self._is_for_us(request):
            return _misdirected()
        found = await self._readiness.find()
        return _answer(200 if found.is_ready else 503, found.words)

    def _is_for_us(self, request: Request) -> bool:
        host = request.headers.get("host", "")
        return host in self._hosts or _is_address(host)


class ReadinessCheck:
    """Looks at the store once a second at most, whoever asks and however often."""

    def __init__(self, store: Store, *, patience: float = PATIENCE) -> None:
        self._store = store
        self._patience = patience
        self._looking = anyio.Lock()
        self._waiting = 0
        self._last: tuple[float, Readiness] | None = None

    async def find(self) -> Readiness:
        """Return what was found within the last second, or what is found now.

        A store that hangs holds up the probe that looks, for as long as the store's own timeouts; others wait for two
        seconds, and beyond a few of them nobody does.
        """
        if (fresh := self._fresh()) is not None:
            return fresh
        if self._looking.locked() and self._waiting >= MOST_WAITING:
            return self._last[1] if self._last is not None else TOO_SLOW
        if not await self._take_turn():
            return TOO_SLOW
        try:
            return self._fresh() or await self._renew()
        finally:
            self._looking.release()

    async def _take_turn(self) -> bool:
        """Wait until nobody else looks; return False if that takes too long."""
        with suppress(anyio.WouldBlock):
            self._looking.acquire_nowait()
            return True
        self._waiting += 1
        try:
            with anyio.fail_after(self._patience):
                await self._looking.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    def _fresh(self) -> Readiness | None:
        if self._last is None or anyio.current_time() - self._last[0] >= COUNTS_FOR:
            return None
        return self._last[1]

    async def _renew(self) -> Readiness:
        found = await self._look()
        self._last = (anyio.current_time(), found)
        return found

    async def _look(self) -> Readiness:
        store = self._store
        try:
            if not await store.database.is_of_our_version():
                return Readiness(is_ready=False, words="not ready: the store is of another version")
            has_our_key, gap = await store.audit.has_our_key(), await store.audit.find_gap()
            is_frozen = await store.freeze.is_on()
        except JournalUnavailable:
            return Readiness(is_ready=False, words="not ready: the store cannot be used")
        if not has_our_key:
            return Readiness(is_ready=False, words="not ready: the store has another key")
        if gap is not None:
            return Readiness(is_ready=False, words="not ready: the audit log has a gap")
        return Readiness(is_ready=True, words="ready, and frozen by the operator" if is_frozen else "ready")


def _answer(status: int, words: str) -> Response:
    return PlainTextResponse(f"{words}\n", status, headers=_HEADERS)


def _misdirected() -> Response:
    return _answer(421, "this server is not called by this name; http.allowed_hosts adds it")


def _is_address(host: str) -> bool:
    """Return True for an IP address, with a port or without: no name of a stranger leads here by one."""
    name = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
