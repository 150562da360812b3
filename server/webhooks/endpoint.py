"""Answers what providers post: 200 once it is on the record, within the two seconds that Routee waits."""

import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clients.webhook_urls import INBOX_PATH
from guard.errors import JournalUnavailable
from server.services import Services
from server.webhooks.retention import Retention
from server.webhooks.settlement import settle
from tools.webhooks import KINDS, BadCallback, Callback, Kind

if TYPE_CHECKING:
    from server.store.store import Store

LARGEST_BODY = 64 * 1024


def inbox_route(services: Services, retention: Retention) -> Route:
    """The route under which webhooks come in, by provider, secret and kind."""
    readers, store = services.callback_readers(), services.store

    async def receive(request: Request) -> Response:
        place: Mapping[str, str] = request.path_params
        reader, kind = readers.get(place["provider"]), _kind(place["kind"])
        if (
            reader is None
            or kind is None
            or not hmac.compare_digest(place["secret"].encode(), services.webhook_secret().encode())
        ):
            return Response(status_code=404)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            posted = reader(kind, json.loads(body))
        except (BadCallback, ValueError) as bad:
            return Response(f"Not taken in: {bad}", status_code=400, media_type="text/plain")
        return Response(status_code=await _taken(store, posted), background=BackgroundTask(retention.run))

    return Route(f"{INBOX_PATH}{{provider}}/{{secret}}/{{kind}}", receive, methods=["POST"])


async def _taken(store: "Store", posted: Callback) -> int:
    """200 once it is written down; 503 where it cannot be, so that it is delivered again.

    It takes milliseconds. A locked store is waited for: an answer that comes too late only means another delivery.
    """
    try:
        await store.events.take_in(posted)
        await settle(store, posted)
    except JournalUnavailable:
        return 503
    return 200


async def _body(request: Request) -> bytes | None:
    """The whole body; None if it is too long to be a callback."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > LARGEST_BODY:
            return None
    return bytes(found)


def _kind(text: str) -> Kind | None:
    return next((kind for kind in KINDS if kind == text), None)
