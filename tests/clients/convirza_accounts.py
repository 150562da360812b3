"""Convirza clients for tests: beside the sandbox, and before a provider that is a function."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from clients.shared.http_client import HttpPool
from clients.shared.tokens import ProcessTokens
from sandbox.app import create_sandbox
from sandbox.convirza.provider import Convirza as SimulatedConvirza
from sandbox.serving import serve_sandbox
from tests.clients.accounts import Handler, Pauses, http_client
from tests.sandbox_control import Sandbox
from tools.convirza.client import Convirza

SlowHandler = Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]

ADMIN = ("dana.reyes@bluewater.example", "Molar-4417")
STANDARD = ("theo.marsh@bluewater.example", "Molar-4418")
READ_ONLY = ("audit@bluewater.example", "Molar-4419")


class Kept(ProcessTokens):
    """A token store that outlives a client, and that a test can look into."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    async def put(self, name: str, value: str) -> None:
        self.written.append(value)
        await super().put(name, value)


@asynccontextmanager
async def sandboxes() -> AsyncGenerator[Sandbox]:
    """Serve a fresh sandbox for one test, with Convirza alone."""
    alone = create_sandbox(providers=[SimulatedConvirza])
    async with serve_sandbox(sandbox=alone) as url, http_client() as http:
        yield Sandbox(url, http)


@asynccontextmanager
async def user(
    sandbox: Sandbox, credentials: tuple[str, str] = ADMIN, *, patience: float = 60, **options: Any
) -> AsyncGenerator[Convirza]:
    """Open a client of the sandbox's Convirza that never sleeps."""
    email, password = credentials
    url = f"{sandbox.url}/convirza"
    given: dict[str, Any] = {"pause": Pauses(), **options}
    async with (
        http_client(patience) as http,
        Convirza(
            email=email, password=password, base_url=url, oauth_url=url, http=HttpPool(given=http), **given
        ) as client,
    ):
        yield client


@asynccontextmanager
async def answered_by(handler: Handler | SlowHandler, **options: Any) -> AsyncGenerator[Convirza]:
    """Open a client whose provider is a function."""
    given: dict[str, Any] = {"pause": Pauses(), "email": ADMIN[0], "password": ADMIN[1], **options}
    async with (
        httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as http,
        Convirza(
            base_url="https://convirza.test", oauth_url="https://oauth.test", http=HttpPool(given=http), **given
        ) as client,
    ):
        yield client


async def end_access_tokens(sandbox: Sandbox) -> None:
    """Let every access token of the sandbox die; refresh tokens live on."""
    async with http_client() as http:
        answer = await http.post(f"{sandbox.url}/_control/convirza/expire-access-tokens", json={})
        assert answer.is_success, answer.text


def success(data: object) -> httpx2.Response:
    """Build an answer with the success envelope."""
    return httpx2.Response(200, json={"code": 200, "message": "Success", "data": data})


def tokens(access: str, refresh: str) -> httpx2.Response:
    """Build the login host's answer with a token pair."""
    return httpx2.Response(200, json={"access_token": access, "refresh_token": refresh, "token_type": "Bearer"})
