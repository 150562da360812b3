"""`ringfence://…`: documents that a client can read, and what completes their addresses."""

from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from server.services import Services, principal_of

MARKDOWN = "text/markdown"


def add_resources(server: MCPServer, services: Services) -> None:
    """Register the documents. What writes them is imported when one is read."""

    @server.resource("ringfence://guide", name="guide", description="How to work with this server.", mime_type=MARKDOWN)
    def guide() -> str:
        from server.mcp import resource_content as documents

        return documents.guide(services)

    @server.resource(
        "ringfence://policy", name="policy", description="The rules in force, and what each means.", mime_type=MARKDOWN
    )
    def policy() -> str:
        from server.mcp import resource_content as documents

        return documents.policy(services)

    @server.resource(
        "ringfence://providers/{name}",
        name="provider",
        description="A provider's limits, surprises, and what is inferred.",
        mime_type=MARKDOWN,
    )
    async def provider(name: str) -> str:
        from server.mcp import resource_content as documents

        return await _found(f"ringfence://providers/{name}", lambda: documents.provider(services, name))

    @server.resource(
        "ringfence://operations/{name}",
        name="operation",
        description="An operation's arguments, price rule, an example, and what policy says of it.",
        mime_type=MARKDOWN,
    )
    async def operation(name: str) -> str:
        from server.mcp import resource_content as documents

        return await _found(f"ringfence://operations/{name}", lambda: documents.operation(services, name))

    @server.resource(
        "ringfence://actions/{action_id}",
        name="action",
        description="A guarded call of yours, and what became of it.",
        mime_type=MARKDOWN,
    )
    async def action(action_id: str, ctx: Context[Any, Any]) -> str:
        from server.mcp import resource_content as documents

        asking = principal_of(ctx)
        return await _found(f"ringfence://actions/{action_id}", lambda: documents.action(services, asking, action_id))


async def _found(uri: str, write: Callable[[], Awaitable[str]]) -> str:
    from server.mcp.resource_content import NoSuchDocument

    try:
        return await write()
    except NoSuchDocument as missing:
        raise ResourceNotFoundError(f"{missing} ({uri})") from None
