"""The error for a call of a tool that is not listed: how to reach the tool, or which one was probably meant."""

from collections.abc import Collection

from clients.operation import OperationType
from server.mcp.listing.registry import ToolRegistry
from server.mcp.session import Session
from server.services import Services
from tools.builtin import BuiltinTool
from tools.discovery.describe import caller, caller_of_tool
from tools.discovery.handlers import TOOLSET as DISCOVERY
from tools.registry import operation_named, operations_of
from tools.suggestions import nearest_tools, reads_of


def explain_unknown_tool(
    name: str, registry: ToolRegistry, visible: Collection[str], services: Services, session: Session
) -> str:
    """Explain why there is no such tool for this client, and what to call instead."""
    operation = operation_named(name)
    if operation is not None:
        return f"There is no tool {name} here: {_why(operation, services, visible, session)}. Nothing was sent."
    builtin = {tool.name: tool for tool in services.builtin_tools}
    if (tool := builtin.get(name)) is not None:
        return f"There is no tool {name} here: {_why_no_tool(tool, visible, session)}. Nothing was done."
    reachable = {
        one.spec.tool_name: one
        for provider in services.set_up
        for one in operations_of(provider).values()
        if caller(one) in visible and not session.why_out_of_reach(one.spec)
    }
    listed = {tool: registry.listed[tool].info.only_reads for tool in visible}
    close = nearest_tools(name, reads_of(reachable.values()) | listed)
    if not close:
        return f"There is no tool {name} here. Nothing was sent."
    by = "" if close[0] in visible else f", which is called with {caller(reachable[close[0]])}"
    return f"There is no tool {name} here; did you mean {close[0]}{by}? Nothing was sent."


def _why_no_tool(tool: BuiltinTool, visible: Collection[str], session: Session) -> str:
    if reason := session.why_tool_out_of_reach(tool.name, only_reads=tool.only_reads):
        return reason
    if (by := caller_of_tool(tool)) in visible and tool.toolset != DISCOVERY:
        return f"it is not listed; call it with {by}, operation={tool.name}"
    return "it is not among the tools of this session"


def _why(operation: OperationType, services: Services, visible: Collection[str], session: Session) -> str:
    spec = operation.spec
    if spec.provider.name not in services.set_up:
        return f"{spec.provider.title} is not set up"
    if reason := session.why_out_of_reach(spec):
        return reason
    if (by := caller(operation)) in visible:
        return f"it is not listed; call it with {by}, operation={spec.tool_name}"
    return "it is not among the tools of this session"
