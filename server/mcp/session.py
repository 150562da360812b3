"""The headers of the request at hand, for what the SDK or a view does not hand its context to."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

_headers: ContextVar[Mapping[str, str] | None] = ContextVar("headers", default=None)


def current_headers() -> Mapping[str, str] | None:
    """What the client sent with the request that is being answered; None where nothing came over HTTP."""
    return _headers.get()


class RememberHeaders:
    """Keeps the headers while a request is answered, also in the tasks that it starts."""

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """A middleware, as the SDK calls it."""
        token = _headers.set(getattr(ctx.request, "headers", None))
        try:
            return await call_next(ctx)
        finally:
            _headers.reset(token)
