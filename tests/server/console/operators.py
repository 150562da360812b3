"""What the page's script does for operators with a passkey: enrol, sign in, sign what is approved."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.server.console.authenticator import Authenticator
from tests.server.console.browsing import Browser

HOST = "approvals.example.com"
BASE = f"https://{HOST}"


@asynccontextmanager
async def at(app: Any) -> AsyncGenerator[Browser]:
    """Open a browser at the page's own name behind TLS."""
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 1234))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        yield Browser(http, origin=BASE)


async def enrol(tab: Browser, secret: str, key: Authenticator) -> httpx2.Response:
    """Enrol a passkey as the page's script does."""
    options = await tab.send("/enrol/options", secret=secret)
    if options.status_code != 200:
        return options
    challenge = options.headers["Ringfence-Challenge"]
    return await tab.send(
        "/enrol", secret=secret, challenge=challenge, label="My phone", credential=key.create(options.json())
    )


async def sign_in(tab: Browser, key: Authenticator) -> httpx2.Response:
    """Sign in with a passkey as the page's script does."""
    options = await tab.send("/sign-in/options")
    challenge = options.headers["Ringfence-Challenge"]
    return await tab.send("/sign-in/passkey", challenge=challenge, credential=key.get(options.json()), wanted="")


async def sign_and_send(tab: Browser, page: str, key: Authenticator, **fields: str) -> httpx2.Response:
    """Ask what to sign to approve an action or plan, sign it, and send the form."""
    options = await tab.send(f"{page}/sign", **fields)
    assert options.status_code == 200, options.text
    return await tab.send(f"{page}/approve", credential=key.get(options.json()), **fields)
