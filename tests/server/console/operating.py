"""An operator at a page that is really served."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from tests.server.console.browsing import Browser


@asynccontextmanager
async def browsing(page: str) -> AsyncGenerator[Browser]:
    """An operator who has signed in at the page's own address."""
    base = page_base(page)
    async with httpx2.AsyncClient(base_url=base, trust_env=False, timeout=30) as http:
        operator = Browser(http, origin=base)
        answer = await operator.sign_in()
        assert answer.status_code == 303, answer.text
        yield operator


def page_base(page: str) -> str:
    """The address that a page is served at."""
    return page.split("/approvals")[0]


def page_path(page: str) -> str:
    """What comes behind it."""
    return page.split("/approvals")[1]
