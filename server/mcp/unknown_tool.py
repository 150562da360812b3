"""What to say of a tool that is called and not listed: how it is reached, or what may have been meant."""

from collections.abc import Collection
from typing import Any

from mcp.server.mcpserver import Context

from server.mcp.registry import ToolRegistry
from server.services import Services
from tools.discovery.describe import caller
from tools.registry import OperationType, operation_named, operations_of
from tools.suggestions import nearest_tools, reads_of


def explain_unknown_tool(name: str, shelf: ToolRegistry, visible: Collection[str], context: Context[Any, Any]) -> str:
    """Why there is no such tool for this client, and what to call instead."""
    operation = operation_named(name)
    if operation is not None:
        return f"There is no tool {name} here: {_why(operation, shelf.services, visible, context)}. Nothing was sent."
    reached = {
        one.spec.tool_name: one
        for provider in shelf.services.clients
        for one in operations_of(provider).values()
        if caller(one) in visible and not shelf.services.bar(one.spec, context)
    }
    listed = {tool: shelf.listed[tool].tool_info.reads for tool in visible}
    close = nearest_tools(name, reads_of(reached.values()) | listed)
    if not close:
        return f"There is no tool {name} here. Nothing was sent."
    by = "" if close[0] in visible else f", which is called with {caller(reached[close[0]])}"
    return f"There is no tool {name} here; did you mean {close[0]}{by}? Nothing was sent."


def _why(operation: OperationType, services: Services, visible: Collection[str], context: Context[Any, Any]) -> str:
    spec = operation.spec
    if spec.provider.name not in services.clients:
        return f"{spec.provider.title} is not set up"
    if barred := services.bar(spec, context):
        return barred
    if (by := caller(operation)) in visible:
        return f"it is not listed; call it with {by}, operation={spec.tool_name}"
    return "it is not among the tools of this session"
