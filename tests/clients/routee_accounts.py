"""Routee clients for tests: beside the sandbox, and before a provider that is a function."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from clients.shared.http_client import HttpPool
from sandbox.app import create_sandbox
from sandbox.routee.provider import Routee as SimulatedRoutee
from sandbox.routee.seed import APPLICATION
from sandbox.serving import serve_sandbox
from tests.clients.accounts import Handler, Pauses, http_client
from tests.sandbox_control import Sandbox
from tools.routee.client import Routee

LOGIN_PATH = "/oauth/token"


@asynccontextmanager
async def sandboxes() -> AsyncGenerator[Sandbox]:
    """Serve a fresh sandbox for one test, with Routee alone."""
    alone = create_sandbox(providers=[SimulatedRoutee])
    async with serve_sandbox(sandbox=alone) as url, http_client() as http:
        yield Sandbox(url, http)


@asynccontextmanager
async def application(
    sandbox: Sandbox,
    identifier: str = APPLICATION.id,
    secret: str = APPLICATION.secret,
    *,
    patience: float = 60,
    **options: Any,
) -> AsyncGenerator[Routee]:
    """Open a client of the sandbox's Routee that never sleeps."""
    url = f"{sandbox.url}/routee"
    given: dict[str, Any] = {"pause": Pauses(), "base_url": url, "auth_url": url, **options}
    async with (
        http_client(patience) as http,
        Routee(application_id=identifier, application_secret=secret, http=HttpPool(given=http), **given) as client,
    ):
        yield client


@asynccontextmanager
async def answered_by(handler: Handler, **options: Any) -> AsyncGenerator[Routee]:
    """Open a client whose provider is a function."""
    given: dict[str, Any] = {
        "pause": Pauses(),
        "application_id": APPLICATION.id,
        "application_secret": APPLICATION.secret,
        **options,
    }
    async with (
        httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as http,
        Routee(
            base_url="https://routee.test", auth_url="https://login.routee.test", http=HttpPool(given=http), **given
        ) as client,
    ):
        yield client


class Provider:
    """Issues a token for every login, and answers the calls one after the other."""

    def __init__(self, *answers: httpx2.Response | Exception, expires_in: object = 3600) -> None:
        self._answers = list(answers)
        self._expires_in = expires_in
        self.logins = 0
        self.calls: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == LOGIN_PATH:
            self.logins += 1
            body = {"access_token": f"token-{self.logins}", "token_type": "bearer", "expires_in": self._expires_in}
            return httpx2.Response(200, json=body)
        self.calls.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def success(body: object) -> httpx2.Response:
    """Build an answer of bare JSON, which is Routee's whole envelope."""
    return httpx2.Response(200, json=body)


def refused(code: str, words: str = "No.", *, status: int | None = None, **more: object) -> httpx2.Response:
    """Build an error of the API itself."""
    return httpx2.Response(status or int(code[:3]), json={"code": code, "developerMessage": words, **more})


def refused_at_the_gate(status: int, words: str) -> httpx2.Response:
    """Build an error of the login layer in front of the API."""
    body = {"timestamp": 1779105600000, "status": status, "error": "Error", "message": words, "path": "/sms"}
    return httpx2.Response(status, json=body)


async def expire_tokens(sandbox: Sandbox) -> None:
    """Let every access token of the sandbox die."""
    async with http_client() as http:
        answer = await http.post(f"{sandbox.url}/_control/routee/expire-tokens")
        assert answer.is_success, answer.text
