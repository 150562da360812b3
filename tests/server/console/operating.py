"""An operator at a page that is really served."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from tests.server.console.browsing import Browser


@asynccontextmanager
async def browsing(page: str) -> AsyncGenerator[Browser]:
    """Open a browser whose operator has signed in at the page's own address."""
    base = page_base(page)
    async with httpx2.AsyncClient(base_url=base, trust_env=False, timeout=30) as http:
        operator = Browser(http, origin=base)
        answer = await operator.sign_in()
        assert answer.status_code == 303, answer.text
        yield operator


def page_base(page: str) -> str:
    """Return the address of the server of a page."""
    return page.split("/approvals")[0]


def page_path(page: str) -> str:
    """Return the rest of a page's URL, from behind `/approvals`."""
    return page.split("/approvals")[1]
