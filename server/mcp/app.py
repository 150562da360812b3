"""Builds the MCP server: tools, prompts and instructions over one services."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.auth.settings import AuthSettings
from mcp.server.caching import CacheHint
from mcp.server.mcpserver.prompts.base import Prompt, PromptArgument

from clients.redaction import RedactingFilter
from prompts.library import Guide, guides
from server.mcp.completions import Completions
from server.mcp.instructions import instructions
from server.mcp.registry import ToolRegistry
from server.mcp.resources import add_resources
from server.mcp.server import LIST_TTL_MS, RingfenceServer
from server.services import Services


def build_server(
    services: Services, *, shelf: ToolRegistry | None = None, auth: AuthSettings | None = None, **options: Any
) -> MCPServer:
    """The server for one services, which it closes when it ends. `shelf` holds the tools, if not the services's own.

    Raises:
        UnknownTool: The operator's surface names what does not exist.
    """

    @asynccontextmanager
    async def lifespan(_server: MCPServer) -> AsyncGenerator[None]:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(services.reconciliation.run)
                try:
                    yield
                finally:
                    group.cancel_scope.cancel()
        finally:
            await services.close()

    server = RingfenceServer(
        shelf or ToolRegistry(services),
        name="ringfence",
        title="Ringfence",
        version=version("ringfence"),
        instructions=instructions(services),
        cache_hints={"tools/list": CacheHint(ttl_ms=LIST_TTL_MS, scope="private")},
        subscriptions=False,
        log_level="WARNING",
        lifespan=lifespan,
        auth=auth,
        **options,
    )
    for guide in guides():
        server.add_prompt(_prompt(guide))
    add_resources(server, services)
    complete_by: Any = server.completion  # the SDK leaves it untyped
    complete_by()(Completions(services))
    return server


def _prompt(guide: Guide) -> Prompt:
    async def told(**given: str) -> str:
        return guide.told(**given)

    arguments = [
        PromptArgument(name=argument.name, description=argument.description, required=argument.otherwise is None)
        for argument in guide.arguments
    ]
    return Prompt(
        name=guide.name,
        title=guide.title,
        description=guide.description,
        arguments=arguments,
        fn=told,
        context_kwarg=None,
    )


class JsonLines(logging.Formatter):
    """A line of JSON a record, for machines that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps(line | ({"trace": record.exc_text} if record.exc_text else {}), ensure_ascii=False)


def configure_logging(log_format: str = "text") -> None:
    """Send logs to stderr, past the redactor; stdout is the protocol."""
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(JsonLines())
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
