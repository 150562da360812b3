"""Ways into a fresh sandbox with Routee alone: over ASGI, or over sockets with somebody who gets its callbacks."""

import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import anyio.abc
import httpx2

from sandbox.app import create_sandbox
from sandbox.routee.provider import Routee
from sandbox.routee.seed import APPLICATION, REPORTING
from sandbox.serving import serve_sandbox

START = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
GREEK = "+306970000555"
BRITISH = "+447700900555"
WHOLE_WEEK = {"dateStart": "2026-05-11T12:00:00Z", "dateEnd": "2026-05-18T12:00:00Z"}

Json = Any
"""What an answer holds; tests look into it by name."""


@asynccontextmanager
async def visitor() -> AsyncGenerator[httpx2.AsyncClient]:
    """Open a client of a fresh sandbox without a token; a path is relative to Routee unless it begins with /."""
    transport = httpx2.ASGITransport(create_sandbox(start=START, providers=(Routee,)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox/routee/") as client:
        yield client


@asynccontextmanager
async def caller() -> AsyncGenerator[httpx2.AsyncClient]:
    """Open a client of a fresh sandbox with a token for everything."""
    async with visitor() as client:
        await log_in(client)
        yield client


@asynccontextmanager
async def reporter() -> AsyncGenerator[httpx2.AsyncClient]:
    """Open a client of a fresh sandbox with the token of an application that may not send."""
    async with visitor() as client:
        await log_in(client, REPORTING.id, REPORTING.secret)
        yield client


async def ask_token(
    client: httpx2.AsyncClient, identifier: str = APPLICATION.id, secret: str = APPLICATION.secret, **form: str
) -> httpx2.Response:
    """Ask for a token by client credentials."""
    fields = {"grant_type": "client_credentials", **form}
    return await client.post("oauth/token", data=fields, auth=(identifier, secret))


async def log_in(
    client: httpx2.AsyncClient, identifier: str = APPLICATION.id, secret: str = APPLICATION.secret
) -> None:
    """Let every further request of the client carry a fresh token."""
    answer = await ask_token(client, identifier, secret)
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


async def control(client: httpx2.AsyncClient, method: str, what: str, body: Json = None) -> Json:
    """Ask something of `/_control` and return its answer."""
    base = str(client.base_url).removesuffix("routee/")
    answer = await client.request(method, f"{base}_control/{what}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def advance(client: httpx2.AsyncClient, seconds: float) -> None:
    """Move the sandbox clock and let Routee notice, which without its courier only happens when it is asked."""
    await control(client, "POST", "clock", {"seconds": seconds})
    await control(client, "GET", "routee/callbacks")


async def pass_days(client: httpx2.AsyncClient, days: float) -> None:
    """Move the sandbox clock by days and get the token that is needed then."""
    await advance(client, days * 86_400)
    await log_in(client)


async def charges(client: httpx2.AsyncClient) -> list[tuple[str, int, str]]:
    """Return what was charged so far: what, quantity, amount; all in EUR."""
    rows = await control(client, "GET", "ledger")
    assert all(row["currency"] == "EUR" for row in rows)
    return [(row["what"], row["quantity"], row["amount"]) for row in rows]


async def balance(client: httpx2.AsyncClient) -> Decimal:
    """Return the balance that is left to spend."""
    return Decimal(str((await got(client, "accounts/me/balance"))["balance"]))


async def got(client: httpx2.AsyncClient, path: str, **query: str | int) -> Json:
    """Return the answer of a GET that succeeds."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def posted(client: httpx2.AsyncClient, path: str, body: Json) -> Json:
    """Return the answer of a POST that succeeds."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send_sms(client: httpx2.AsyncClient, **change: Json) -> Json:
    """Send one message to Greece."""
    return await posted(client, "sms", {"from": "Bluewater", "to": GREEK, "body": "Hello", **change})


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


class Receiver:
    """A customer's server: keeps what is posted to it and answers what it was told to, then 200."""

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.answers: list[int] = []
        self._changed = anyio.Event()

    async def serve(self, *, task_status: anyio.abc.TaskStatus[str]) -> None:
        """Listen on a free loopback port and report its address."""
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - of anyio, not of Django
            task_status.started(f"http://127.0.0.1:{port}/hook")
            await listener.serve(self._handle)

    async def wait_for(self, count: int) -> list[Json]:
        """Wait for `count` posted bodies, at most five seconds, and return all that arrived."""
        with anyio.fail_after(5):
            while len(self.bodies) < count:
                await self._changed.wait()
        return self.bodies

    async def _handle(self, stream: anyio.abc.SocketStream) -> None:
        async with stream:
            data = b""
            while not _is_whole(data):
                data += await stream.receive()
            status = self.answers.pop(0) if self.answers else 200
            await stream.send(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            self.bodies.append(json.loads(data.partition(b"\r\n\r\n")[2]))
            changed, self._changed = self._changed, anyio.Event()
            changed.set()


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= int(lengths[0])


@asynccontextmanager
async def called_back() -> AsyncGenerator[tuple[httpx2.AsyncClient, Receiver, str]]:
    """Serve a sandbox that posts callbacks; yields a client of it, a receiver, and the receiver's address."""
    sandbox = create_sandbox(start=START, providers=(Routee,))
    routee = sandbox.providers["routee"]
    assert isinstance(routee, Routee)
    receiver = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with serve_sandbox(sandbox=sandbox) as url, anyio.create_task_group() as group:
        hook: str = await group.start(receiver.serve)
        group.start_soon(routee.run)
        async with httpx2.AsyncClient(base_url=f"{url}/routee/", verify=context) as client:
            await log_in(client)
            yield client, receiver, hook
        group.cancel_scope.cancel()
