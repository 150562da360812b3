"""The sandbox beside a server: what a test asks of it through `/_control`."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2

from sandbox.serving import serve_sandbox

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading certificates takes 50 ms, and plain http has no use for them."""


class Sandbox:
    """The simulated providers on a real socket, and what happened to them."""

    def __init__(self, url: str, http: httpx2.AsyncClient) -> None:
        self.url = url
        self._http = http

    @property
    def voicetel(self) -> str:
        """Address of the simulated VoiceTel."""
        return f"{self.url}/voicetel"

    async def charges(self) -> list[dict[str, Any]]:
        """Return every charge since the start."""
        return await self._get("ledger")

    async def requests(self, *, method: str | None = None, path: str = "") -> list[dict[str, Any]]:
        """Return every request, of one method and with a part of a path if given."""
        found = await self._get("requests")
        return [row for row in found if method in (None, row["method"]) and path in row["path"]]

    async def writes(self) -> list[dict[str, Any]]:
        """Return every request that is not a GET."""
        return [row for row in await self._get("requests") if row["method"] != "GET"]

    async def break_with(self, kind: str, **match: Any) -> None:
        """Set a fault."""
        answer = await self._http.post(f"{self.url}/_control/faults", json={"kind": kind, **match})
        assert answer.status_code == 201, answer.text

    async def until_held(self) -> None:
        """Wait until a fault holds an answer back."""
        while not any(fault["waiting"] for fault in await self._get("faults")):  # noqa: ASYNC110 - over a socket
            await anyio.sleep(0.02)

    async def mend(self) -> None:
        """Clear every fault and release what is held."""
        await self._http.delete(f"{self.url}/_control/faults")

    async def tell(self, path: str, body: dict[str, Any]) -> None:
        """Have the outside world do something, at a provider's own controls."""
        answer = await self._http.post(f"{self.url}/_control/{path}", json=body)
        assert answer.is_success, answer.text

    async def configure(self, path: str, settings: dict[str, Any]) -> None:
        """Change settings of a provider."""
        answer = await self._http.put(f"{self.url}/_control/{path}", json=settings)
        assert answer.is_success, answer.text

    async def deliver_callbacks(self) -> None:
        """Have the simulated Routee post whatever is due."""
        await self.tell("routee/callbacks/deliver", {})

    async def advance(self, seconds: float) -> None:
        """Move the sandbox's clock."""
        await self._http.post(f"{self.url}/_control/clock", json={"seconds": seconds})

    async def _get(self, what: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self._http.get(f"{self.url}/_control/{what}")).json()
        return rows


@asynccontextmanager
async def sandboxes() -> AsyncGenerator[Sandbox]:
    """Serve a fresh sandbox for one test."""
    async with serve_sandbox() as url, httpx2.AsyncClient(verify=NO_CERTIFICATES) as http:
        yield Sandbox(url, http)
