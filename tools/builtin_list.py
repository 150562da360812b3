"""The list of built-in tools."""

from collections.abc import Collection
from functools import cache

from tools.actions.handlers import TOOLS as ACTION_TOOLS
from tools.actions.handlers import TOOLSET as ACTIONS
from tools.allowances.handlers import TOOLS as ALLOWANCE_TOOLS
from tools.builtin import BuiltinTool
from tools.discovery.handlers import TOOLS as DISCOVERY_TOOLS
from tools.discovery.handlers import TOOLSET as DISCOVERY
from tools.events.handlers import TOOLS as EVENT_TOOLS
from tools.overview.failed_texts import TOOLS as FAILED_TEXTS_TOOLS
from tools.overview.handlers import TOOLS as OVERVIEW_TOOLS
from tools.overview.handlers import TOOLSET as OVERVIEW
from tools.overview.number_use import TOOLS as NUMBER_USE_TOOLS
from tools.plans.handlers import TOOLS as PLAN_TOOLS
from tools.plans.people import TOOLS as PEOPLE_TOOLS
from tools.registry import provider_named, provider_names
from tools.selection import DEFAULT, ToolInfo

DEFAULT_TOOLSETS = frozenset({ACTIONS, DISCOVERY, OVERVIEW})
"""Toolsets of built-in tools that belong to the default selection."""


@cache
def builtin_tools(providers: Collection[str]) -> tuple[BuiltinTool, ...]:
    """Return the built-in tools for these providers: those over all of them, and those that one of them declares."""
    chosen = [provider_named(name) for name in providers]
    events = EVENT_TOOLS if any(provider.read_callback for provider in chosen) else ()
    own = [tool for provider in chosen if provider.tools for tool in provider.tools.load()]
    views = (*OVERVIEW_TOOLS, *NUMBER_USE_TOOLS, *FAILED_TEXTS_TOOLS, *PEOPLE_TOOLS)
    return (*ACTION_TOOLS, *PLAN_TOOLS, *ALLOWANCE_TOOLS, *views, *DISCOVERY_TOOLS, *events, *own)


def all_builtin_tools() -> tuple[BuiltinTool, ...]:
    """Return the built-in tools for all installed providers, set up or not."""
    return builtin_tools(provider_names())


def info_of_builtin(name: str) -> ToolInfo | None:
    """Return what the selection needs to know about the built-in tool of a name; None where there is none."""
    return next((builtin_info(tool) for tool in all_builtin_tools() if tool.name == name), None)


def builtin_info(tool: BuiltinTool) -> ToolInfo:
    """Return what the selection needs to know about a built-in tool."""
    toolsets = {tool.toolset, DEFAULT} if tool.toolset in DEFAULT_TOOLSETS else {tool.toolset}
    return ToolInfo(tool.name, frozenset(toolsets), only_reads=tool.only_reads)
