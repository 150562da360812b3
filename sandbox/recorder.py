"""The layer in front of each provider: it writes the request log and applies the faults."""

from collections.abc import Awaitable, Callable

import anyio
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.faults import MALFORMED_BODIES, Fault, FaultBoard, FaultKind
from sandbox.provider import Provider
from sandbox.request_log import LoggedRequest, RequestLog, readable_body, readable_headers, readable_query

DROP_EXTENSION = "sandbox.drop"
"""ASGI extension under which the server offers a function that closes the client's connection."""


class ConnectionDropped(Exception):
    """A drop was injected where no real connection exists (an in-process ASGI transport)."""


class Recorder:
    """Wraps one provider's app: logs, delays, breaks or drops as the faults say."""

    def __init__(self, provider: Provider, clock: Clock, log: RequestLog, faults: FaultBoard) -> None:
        self._provider = provider
        self._clock = clock
        self._log = log
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        body = await _read(receive)
        entry = self._entry(scope, body)
        self._log.append(entry)
        fault = self._faults.take(entry.provider, entry.method, entry.path)
        if fault is None:
            await _forward(await self._effect(scope, body, entry), send)
            return
        entry.fault = fault.order.kind.value
        answer = await self._suffer(fault, scope, receive, body, entry)
        if answer is None:
            entry.status = None
            await _drop(scope, receive)
        else:
            await _forward(answer, send)

    def _entry(self, scope: Scope, body: bytes) -> LoggedRequest:
        headers = readable_headers(scope["headers"])
        return LoggedRequest(
            provider=self._provider.name,
            method=scope["method"],
            path=scope["path"].removeprefix(scope.get("root_path", "")),
            query=readable_query(scope["query_string"]),
            headers=headers,
            body=readable_body(body, headers.get("content-type", "")),
            at=self._clock.now(),
        )

    async def _effect(self, scope: Scope, body: bytes, entry: LoggedRequest) -> list[Message]:
        """Let the provider handle the request and keep its answer back."""
        answer = await _collect(self._provider.app, scope, body)
        entry.status = answer[0]["status"]
        return answer

    async def _suffer(
        self, fault: Fault, scope: Scope, receive: Receive, body: bytes, entry: LoggedRequest
    ) -> list[Message] | None:
        """Return what the client gets under this fault; None if the connection closes without an answer."""
        order = fault.order
        if order.kind is FaultKind.DROP_BEFORE:
            return None
        if order.kind is FaultKind.LATENCY and not order.after_effect:
            await _wait(fault, receive, order.seconds)
            return await self._effect(scope, body, entry)
        if order.kind is FaultKind.HOLD and order.before_effect:
            await _wait_released(fault)
            return await self._effect(scope, body, entry)
        if order.kind in {FaultKind.STATUS, FaultKind.MALFORMED} and not order.after_effect:
            return await self._substitute(fault, scope, entry)

        answer = await self._effect(scope, body, entry)
        if order.kind is FaultKind.DROP_AFTER:
            return None
        if order.kind is FaultKind.HOLD:
            await _wait(fault, receive, None)
            return answer
        if order.kind is FaultKind.LATENCY:
            await _wait(fault, receive, order.seconds)
            return answer
        return await self._substitute(fault, scope, entry)

    async def _substitute(self, fault: Fault, scope: Scope, entry: LoggedRequest) -> list[Message]:
        """Return the provider's failure, or a malformed 200, in place of its answer."""
        order = fault.order
        if order.kind is FaultKind.STATUS:
            response = self._provider.failure(order.status)
            if order.retry_after is not None:
                response.headers["retry-after"] = str(order.retry_after)
        else:
            body, media_type = MALFORMED_BODIES[order.shape]
            response = Response(body, media_type=media_type)
        entry.status = response.status_code
        return await _collect(response, scope, b"")


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _collect(app: ASGIApp, scope: Scope, body: bytes) -> list[Message]:
    messages: list[Message] = []

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, replay, keep)
    return messages


async def _forward(answer: list[Message], send: Send) -> None:
    for message in answer:
        await send(message)


async def _wait(fault: Fault, receive: Receive, seconds: float | None) -> None:
    """Wait until the time is up, the fault is deleted, or the client has gone."""
    fault.waiting += 1
    try:
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as group:

                async def until(wait: Callable[[], Awaitable[object]]) -> None:
                    await wait()
                    group.cancel_scope.cancel()

                group.start_soon(until, fault.released.wait)
                group.start_soon(until, lambda: _disconnected(receive))
    finally:
        fault.waiting -= 1


async def _wait_released(fault: Fault) -> None:
    """Wait until the fault is deleted: a provider that has a request works on it though nobody listens any more."""
    fault.waiting += 1
    try:
        await fault.released.wait()
    finally:
        fault.waiting -= 1


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer and return once the server has noticed."""
    drop = scope.get("extensions", {}).get(DROP_EXTENSION)
    if drop is None:
        raise ConnectionDropped("the sandbox was told to drop this connection")
    drop()
    await _disconnected(receive)
