"""What goes wrong in a soak, in an order that the seed decides."""

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx2

from benchmarks.soak.children import Postgres, Server
from benchmarks.soak.proxy import Proxy

PROVIDERS: Final = ("voicetel", "routee", "convirza", "enswitch")
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "latency", "seconds": 3},
    {"kind": "latency", "seconds": 35, "after_effect": True},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "retry_after": 1},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
)


@dataclass(slots=True)
class Chaos:
    """Injects one fault after the other."""

    sandbox: str
    postgres: Postgres
    victim: Server
    """The server that is killed; the other one lives for the whole run."""
    proxy: Proxy
    chance: Random
    began: float
    done: Counter[str] = field(default_factory=Counter[str])
    moments: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """Seconds since the epoch, and what was done then."""

    async def run(self) -> None:
        """Inject faults until cancelled."""
        while True:
            await anyio.sleep(self.chance.uniform(1, 4))
            draw = self.chance.random()
            if draw < 0.7:
                await self._break_provider()
            elif draw < 0.85:
                self.proxy.cut(self.chance, 0.5)
                self._note("proxy cut")
            elif draw < 0.96:
                with anyio.CancelScope(shield=True):
                    self._note("server kill")
                    await self.victim.kill(time.monotonic() - self.began)
                    await self.victim.start()
            else:
                with anyio.CancelScope(shield=True):
                    self._note("store restart")
                    await anyio.to_thread.run_sync(self.postgres.restart)

    async def _break_provider(self) -> None:
        order = dict(self.chance.choice(FAULTS)) | {"provider": self.chance.choice(PROVIDERS)}
        order["times"] = self.chance.randint(1, 3)
        async with httpx2.AsyncClient() as http:
            (await http.post(f"{self.sandbox}/_control/faults", json=order)).raise_for_status()
        self._note(f"provider {order['kind']} {order.get('status', '')}".strip())

    def _note(self, what: str) -> None:
        self.done[what] += 1
        self.moments.append((time.time(), what))
