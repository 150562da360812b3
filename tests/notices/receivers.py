"""Where notices arrive in tests: a receiver of webhooks and a mail server, on real sockets of loopback."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

import anyio
import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.serving import LoopbackServer
from tests.ports import free_port

KEY_BYTES: Final = b"0123456789 the key of a receiver"
KEY: Final = "whsec_" + base64.b64encode(KEY_BYTES).decode("ascii")
SECRET: Final = "Harbor2026-do-not-show"
"""Part of every channel's URL."""


class Receiver:
    """Takes webhooks, if their signature fits."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hooks/{SECRET}"
        self.got: list[dict[str, Any]] = []
        """The notices that it took."""

        self.bodies: list[str] = []
        self.attempts = 0
        self.status = 200
        """What it answers with."""

        self.took_one = anyio.Event()

    async def take(self, request: Request) -> Response:
        """Take a notice, or answer with the status that the test set."""
        self.attempts += 1
        if self.status == 307:
            return RedirectResponse(f"{self.url}/elsewhere", 307)
        if self.status != 200:
            return Response(f"{SECRET} {request.url}", self.status)
        body = await request.body()
        if request.url.path == "/chat":  # a service, which checks no signature
            return Response(status_code=200)
        if not hmac.compare_digest(self._expected(request, body), request.headers["webhook-signature"]):
            return Response(status_code=401)
        self.bodies.append(body.decode("utf-8"))
        self.got.append(json.loads(body))
        self.took_one.set()
        return Response(status_code=204)

    def _expected(self, request: Request, body: bytes) -> str:
        """Sign as the documentation says that a receiver does."""
        headers = request.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        return "v1," + base64.b64encode(hmac.new(KEY_BYTES, signed, hashlib.sha256).digest()).decode()

    def titles(self, event: str | None = None) -> list[str]:
        """Return the titles of the notices, of one event if given."""
        return [notice["title"] for notice in self.got if event in (None, notice["event"])]


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver]:
    """Serve a receiver as long as the block runs."""
    port = free_port()
    made = Receiver(port)
    app = Starlette(routes=[Route("/{path:path}", made.take, methods=["POST"])])
    server = LoopbackServer(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve)
        await server.listening.wait()
        yield made
        server.stopping.set()


class MailServer:
    """Keeps the mail that it gets."""

    def __init__(self, port: int) -> None:
        self.url = f"mailto://127.0.0.1:{port}/?from=ringfence@example.com&to=ops@example.com&name={SECRET}"
        self.got: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep a mail; the name is that of aiosmtpd."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode("utf-8")
        self.got.append(message_from_bytes(raw, policy=policy.default))
        return "250 OK"


@contextmanager
def mail_server() -> Generator[MailServer]:
    """Serve mail as long as the block runs."""
    port = free_port()
    made = MailServer(port)
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
