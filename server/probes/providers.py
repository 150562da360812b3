"""The simulated providers of a bench: their requests, their charges, and faults to set."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from sandbox.app import create_sandbox
from sandbox.serving import serve_sandbox
from sandbox.voicetel import seed
from sandbox.voicetel.provider import VoiceTel
from sandbox.voicetel.state import Account


class Providers:
    """A sandbox on a real socket."""

    def __init__(self, url: str, http: httpx2.AsyncClient, voicetel: VoiceTel) -> None:
        self.url = url
        self._http = http
        self._voicetel = voicetel

    @property
    def account(self) -> Account:
        """The VoiceTel account of the server, at the provider."""
        return self._voicetel.state.accounts[seed.USERNAME]

    def set_number_price(self, amount: Decimal) -> Decimal:
        """Set the monthly price of a number, and return the old one."""
        return self.set_rate("did", amount)

    def set_rate(self, name: str, amount: Decimal) -> Decimal:
        """Set a rate of the account, and return the old one."""
        before = self.account.rates[name]
        self.account.rates[name] = amount
        return before

    async def since_now(self) -> "Since":
        """Begin to count requests and charges."""
        return Since(self, len(await self.requests()), len(await self.charges()))

    async def requests(self) -> list[dict[str, Any]]:
        """Every request so far."""
        return await self._rows("requests")

    async def charges(self) -> list[dict[str, Any]]:
        """Every charge so far."""
        return await self._rows("ledger")

    async def break_with(self, kind: str, **match: Any) -> None:
        """Set a fault."""
        (await self._http.post(f"{self.url}/_control/faults", json={"kind": kind, **match})).raise_for_status()

    async def mend(self) -> None:
        """Clear every fault."""
        await self._http.delete(f"{self.url}/_control/faults")

    async def receive_text(self, text: str, *, sender: str, to: str) -> None:
        """Have VoiceTel receive an SMS; numbers have ten digits."""
        order = {"source": sender, "destination": to, "text": text}
        (await self._http.post(f"{self.url}/_control/voicetel/inbound", json=order)).raise_for_status()

    async def _rows(self, what: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self._http.get(f"{self.url}/_control/{what}")).json()
        return rows


@dataclass(frozen=True, slots=True)
class Since:
    """The requests and charges since a probe began."""

    providers: Providers
    requests_before: int
    charges_before: int

    async def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """Return the requests since the probe began that use this method and have `path` in their path."""
        new = (await self.providers.requests())[self.requests_before :]
        return [row for row in new if row["method"] == method and path in row["path"]]

    async def charges(self) -> list[dict[str, Any]]:
        """Every charge."""
        return (await self.providers.charges())[self.charges_before :]


@asynccontextmanager
async def start_providers() -> AsyncGenerator[Providers]:
    """Start a fresh sandbox on loopback."""
    app = create_sandbox()
    voicetel = app.providers["voicetel"]
    if not isinstance(voicetel, VoiceTel):
        raise TypeError("the sandbox's voicetel is another provider")
    async with serve_sandbox(sandbox=app) as url, httpx2.AsyncClient(timeout=30) as http:
        yield Providers(url, http, voicetel)
