"""Enswitch clients for tests: persons of the simulated installation, and a server that is a function."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from clients.shared.http_client import HttpPool
from sandbox.app import create_sandbox
from sandbox.enswitch.provider import Enswitch as SimulatedEnswitch
from sandbox.enswitch.seed import password_of
from sandbox.serving import serve_sandbox
from tests.clients.accounts import Pauses, http_client
from tests.sandbox_control import Sandbox
from tools.enswitch.client import Enswitch
from tools.enswitch.versions import NEWEST, Version

OWNER = "pinecrest.root"
RESELLER = "harborline.admin"
COMPANY = "bluewater.admin"


class Installation(Sandbox):
    """The simulated Enswitch, and what it alone can be told."""

    @property
    def enswitch(self) -> str:
        """Its address."""
        return f"{self.url}/enswitch"

    async def set(self, **settings: Any) -> None:
        """Change settings of the installation, such as its version."""
        await self._http.put(f"{self.url}/_control/enswitch/settings", json=settings)

    async def ask(self, what: str) -> Any:
        """Read a control of the installation: `leaks`, `ignored_validations`, `functions`, `tables/<name>`."""
        return (await self._http.get(f"{self.url}/_control/enswitch/{what}")).json()

    async def calls_of(self, function: str) -> list[dict[str, Any]]:
        """Return every request to one function."""
        return await self.requests(path=f"/{function}/")


@asynccontextmanager
async def installations() -> AsyncGenerator[Installation]:
    """Serve a fresh simulated Enswitch for one test."""
    alone = create_sandbox(providers=[SimulatedEnswitch])
    async with serve_sandbox(sandbox=alone) as url, http_client() as http:
        yield Installation(url, http)


@asynccontextmanager
async def person(
    installation: Installation, username: str = OWNER, *, version: Version = NEWEST, **options: Any
) -> AsyncGenerator[Enswitch]:
    """Open a client that is logged in as one of the seeded people and never sleeps."""
    given: dict[str, Any] = {"password": password_of(username), "pause": Pauses(), **options}
    async with (
        http_client() as http,
        Enswitch(
            base_url=installation.enswitch, username=username, version=version, http=HttpPool(given=http), **given
        ) as client,
    ):
        yield client


@asynccontextmanager
async def served_by(handler: Callable[[httpx2.Request], httpx2.Response], **options: Any) -> AsyncGenerator[Enswitch]:
    """Open a client whose installation is a function."""
    given: dict[str, Any] = {"password": "Harbor-2026-enswitch", "pause": Pauses(), **options}
    async with (
        httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as http,
        Enswitch(base_url="https://enswitch.test", username="someone", http=HttpPool(given=http), **given) as client,
    ):
        yield client


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
