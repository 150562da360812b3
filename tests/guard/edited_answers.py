"""The way to a simulated provider, on which single answers can be edited."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.sandbox_control import NO_CERTIFICATES

Edit = Callable[[Any], None]
"""Changes a decoded body in place."""


class EditingTransport(httpx2.AsyncHTTPTransport):
    """Passes every request on, and edits the answers to those whose path ends as an edit says."""

    def __init__(self) -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self.edits: dict[str, Edit] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on."""
        response = await super().handle_async_request(request)
        edit = next((edit for end, edit in self.edits.items() if request.url.path.endswith(end)), None)
        if edit is None or not response.is_success:
            return response
        content = json.loads(await response.aread())
        edit(content)
        return httpx2.Response(response.status_code, json=content)


@asynccontextmanager
async def edited_answers(**edits: Edit) -> AsyncGenerator[tuple[dict[str, Edit], httpx2.AsyncClient]]:
    """Open a client for a server's requests; the edits, by the end of the path, may be changed on the way."""
    transport = EditingTransport()
    transport.edits.update(edits)
    async with httpx2.AsyncClient(transport=transport) as http:
        yield transport.edits, http
