"""The webhook endpoint: answers 200 once a callback is stored, within the two seconds that a provider may wait."""

import hmac
import json
import logging
from dataclasses import replace

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clients.shared.webhook_urls import INBOX_PATH
from clients.telemetry.instruments import CALLBACKS
from clients.telemetry.spans import ACCOUNT, CALLBACK, OUTCOME
from guard.errors import JournalUnavailable
from server.services import Services
from server.webhooks.retention import Retention
from server.webhooks.settlement import settle
from tools.provider import ReadCallback
from tools.webhooks import KINDS, BadCallback, Callback, Kind

logger = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
"""Bytes."""


def webhook_route(services: Services, retention: Retention) -> Route:
    """Build the route that callbacks are posted to, by account, secret and kind."""
    endpoint = WebhookEndpoint(services, retention)
    return Route(f"{INBOX_PATH}{{account}}/{{secret}}/{{kind}}", endpoint.receive, methods=["POST"])


class WebhookEndpoint:
    """Stores callbacks, settles their actions, and deletes old ones after answering."""

    def __init__(self, services: Services, retention: Retention) -> None:
        self._services = services
        self._store = services.store
        self._readers = services.callback_readers()
        self._retention = retention

    async def receive(self, request: Request) -> Response:
        """Answer one post: 404 for a wrong address, 413 or 400 for a wrong body, 503 where it cannot be stored."""
        account = request.path_params["account"]
        reader = self._readers.get(account)
        kind = _kind_named(request.path_params["kind"])
        if reader is None or kind is None or not self._is_secret_of(account, request.path_params["secret"]):
            _note("no such address")
            return Response(status_code=404)
        body = await _read_body(request)
        if body is None:
            _note("too long", account, kind)
            return Response(status_code=413)
        try:
            callback = replace(_read(body, kind, reader), account=account)
        except (BadCallback, ValueError) as bad:
            _note("not as documented", account, kind)
            return Response(f"Rejected: {bad}", status_code=400, media_type="text/plain")
        return Response(
            status_code=await self._store_callback(callback), background=BackgroundTask(self._retention.run)
        )

    def _is_secret_of(self, account: str, secret: str) -> bool:
        return hmac.compare_digest(secret.encode(), self._services.webhook_secret(account).encode())

    async def _store_callback(self, callback: Callback) -> int:
        """Return 200 once it is stored, and 503 where it cannot be, so that the provider delivers it again.

        It waits for a locked store: an answer that comes too late only means another delivery.
        """
        try:
            is_new = await self._store.events.take_in(callback)
            _note("taken" if is_new else "taken before", callback.received_for, callback.kind)
            await settle(self._store, callback)
        except JournalUnavailable:
            _note("not stored", callback.received_for, callback.kind)
            return 503
        return 200


def _note(outcome: str, account: str | None = None, kind: Kind | None = None) -> None:
    """Count and log what came of a post. Only who knows the secret can have a warning written."""
    facts = {OUTCOME: outcome} | ({ACCOUNT: account} if account else {}) | ({CALLBACK: kind} if kind else {})
    CALLBACKS.add(1, facts)
    is_taken = outcome.startswith("taken")
    logger.log(
        logging.INFO if is_taken or account is None else logging.WARNING,
        "Webhook%s: %s",
        f" of {account}, {kind}" if account else "",
        outcome,
        extra={"fields": {"account": account, "kind": kind, "outcome": outcome}},
    )


async def _read_body(request: Request) -> bytes | None:
    """Read the whole body; None if it is too long for a callback."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _read(body: bytes, kind: Kind, reader: ReadCallback) -> Callback:
    """Parse a body.

    Raises:
        BadCallback, ValueError: It is not JSON, not a callback of this kind, or nested too deep to be read.
    """
    try:
        return reader(kind, json.loads(body))
    except RecursionError as deep:
        raise ValueError("nested too deep") from deep


def _kind_named(text: str) -> Kind | None:
    return next((kind for kind in KINDS if kind == text), None)
