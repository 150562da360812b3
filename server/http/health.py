"""`/healthz` and `/readyz`, for whatever restarts a server or sends it requests.

They ask for no bearer token and accept every Host header, because a kubelet calls a server by its address and has none.
So they say a few words, and no detail: the operator's page and `ringfence doctor` have those.
"""

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

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a server can carry out guarded calls, in a few words."""

    is_ready: bool
    words: str


class HealthRoutes:
    """Answers whether the process lives, and whether it is ready."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking = anyio.Lock()
        self._last: tuple[float, Readiness] | None = None

    def routes(self) -> list[Route]:
        """Return both routes."""
        return [Route(ALIVE_PATH, self.answer_alive), Route(READY_PATH, self.answer_ready)]

    async def answer_alive(self, _: Request) -> Response:
        """Answer as long as the process answers at all; the store may be gone, and plain reads still work."""
        return PlainTextResponse("alive\n", headers=_HEADERS)

    async def answer_ready(self, _: Request) -> Response:
        """Answer 200 where guarded calls can be recorded, and 503 where they cannot."""
        async with self._looking:
            now = anyio.current_time()
            if self._last is None or now - self._last[0] >= COUNTS_FOR:
                self._last = (now, await self._look())
        found = self._last[1]
        return PlainTextResponse(f"{found.words}\n", 200 if found.is_ready else 503, headers=_HEADERS)

    async def _look(self) -> Readiness:
        try:
            has_our_key, gap = await self._store.audit.has_our_key(), await self._store.audit.find_gap()
            is_frozen = await self._store.freeze.is_on()
        except JournalUnavailable:
            return Readiness(is_ready=False, words="not ready: the store cannot be used")
        if not has_our_key:
            return Readiness(is_ready=False, words="not ready: the store has another key")
        if gap is not None:
            return Readiness(is_ready=False, words="not ready: the audit log has a gap")
        return Readiness(is_ready=True, words="ready, and frozen by the operator" if is_frozen else "ready")
