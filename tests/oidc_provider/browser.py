"""A browser of a person who signs in and consents: `python -m tests.oidc_provider.browser NAME ADDRESS`."""

import sys

import anyio
import httpx2

from tests.oidc_provider.running import sign_in_there


async def _visit(name: str, address: str) -> None:
    async with httpx2.AsyncClient(follow_redirects=True, timeout=30) as http:
        page = await sign_in_there(http, await http.get(address), name)
    print(page.status_code, page.url.path)  # noqa: T201 - what it has seen


if __name__ == "__main__":
    anyio.run(_visit, sys.argv[1], sys.argv[2])
