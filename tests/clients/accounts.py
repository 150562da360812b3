"""VoiceTel clients for tests: beside the sandbox, and before a provider that is a function."""

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from clients.shared.http_client import HttpPool
from sandbox.app import create_sandbox
from sandbox.serving import serve_sandbox
from sandbox.voicetel.provider import VoiceTel as SimulatedVoiceTel
from sandbox.voicetel.seed import API_KEY
from tests.sandbox_control import Sandbox
from tools.voicetel.client import VoiceTel

Handler = Callable[[httpx2.Request], httpx2.Response]


class Pauses(list[float]):
    """Takes the place of sleeping, and remembers for how long it would have been."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def http_client(patience: float = 60) -> httpx2.AsyncClient:
    """Build a client over real connections that waits `patience` seconds for an answer.

    It waits much longer for a connection, so that a slow machine is not taken for a silent provider. It loads no
    certificates, because plain http needs none.
    """
    return httpx2.AsyncClient(timeout=httpx2.Timeout(60, read=patience), verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


@asynccontextmanager
async def sandboxes() -> AsyncGenerator[Sandbox]:
    """Serve a fresh sandbox for one test, with the one provider that these tests need."""
    alone = create_sandbox(providers=[SimulatedVoiceTel])
    async with serve_sandbox(sandbox=alone) as url, http_client() as http:
        yield Sandbox(url, http)


@asynccontextmanager
async def account(
    sandbox: Sandbox, *, api_key: str | None = API_KEY, patience: float = 60, **options: Any
) -> AsyncGenerator[VoiceTel]:
    """Open a client of the sandbox's VoiceTel that never sleeps, and waits `patience` seconds for an answer."""
    given: dict[str, Any] = {"pause": Pauses(), **options}
    async with (
        http_client(patience) as http,
        VoiceTel(api_key=api_key, base_url=sandbox.voicetel, http=HttpPool(given=http), **given) as client,
    ):
        yield client


@asynccontextmanager
async def answered_by(
    handler: Handler, *, api_key: str | None = API_KEY, follow_redirects: bool = False, **options: Any
) -> AsyncGenerator[VoiceTel]:
    """Open a client whose provider is a function."""
    given: dict[str, Any] = {"pause": Pauses(), **options}
    transport = httpx2.MockTransport(handler)
    async with (
        httpx2.AsyncClient(transport=transport, follow_redirects=follow_redirects) as http,
        VoiceTel(api_key=api_key, base_url="https://voicetel.test", http=HttpPool(given=http), **given) as client,
    ):
        yield client


class Provider:
    """Answers one request after the other; an exception in the list is a connection that breaks that way."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def success(data: object, status: int = 200) -> httpx2.Response:
    """Build an answer with the success envelope."""
    return httpx2.Response(status, json={"status": "success", "data": data})


def refused(status: int, words: str, **headers: str) -> httpx2.Response:
    """Build an answer with the error envelope."""
    envelope = {"status": "error", "error": {"code": status, "message": words}}
    return httpx2.Response(status, json=envelope, headers={name.replace("_", "-"): headers[name] for name in headers})
