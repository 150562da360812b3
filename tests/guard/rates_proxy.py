"""The way to the simulated VoiceTel, on which the rates that the account shows can be changed."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.sandbox_control import NO_CERTIFICATES


class RatesProxy(httpx2.AsyncHTTPTransport):
    """Passes every request on, and shows other rates in the account than the provider does."""

    def __init__(self) -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self.rates: dict[str, Any] = {}
        """The rates to show, by name; the provider's own if left out."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on."""
        response = await super().handle_async_request(request)
        if not request.url.path.endswith("/v2.2/account"):
            return response
        content = json.loads(await response.aread())
        content["data"]["rates"].update(self.rates)
        return httpx2.Response(response.status_code, json=content)


@asynccontextmanager
async def proxy_rates(**rates: Any) -> AsyncGenerator[tuple[RatesProxy, httpx2.AsyncClient]]:
    """Open a client for a server's requests, with the proxy on its way."""
    proxy = RatesProxy()
    proxy.rates.update(rates)
    async with httpx2.AsyncClient(transport=proxy) as http:
        yield proxy, http
