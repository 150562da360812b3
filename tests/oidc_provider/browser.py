"""A browser of a person who signs in and consents: `python -m tests.oidc_provider.browser NAME ADDRESS`.

It is quicker than people are: a program that opens a browser may only then begin to listen for it to come back.
"""

import sys
from typing import Final

import anyio
import httpx2

from tests.oidc_provider.running import sign_in_there

ATTEMPTS: Final = 7
"""How often a connection is tried again, each after twice the time: about a minute in all."""


async def _visit(name: str, address: str) -> None:
    transport = httpx2.AsyncHTTPTransport(retries=ATTEMPTS)
    async with httpx2.AsyncClient(follow_redirects=True, timeout=30, transport=transport) as http:
        page = await sign_in_there(http, await http.get(address), name)
    print(page.status_code, page.url.path)  # noqa: T201 - what it has seen


if __name__ == "__main__":
    anyio.run(_visit, sys.argv[1], sys.argv[2])
