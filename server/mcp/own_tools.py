"""The tools that are no provider's operation, by toolset. Their modules are imported when they are needed."""

from collections.abc import Callable, Mapping

from mcp.server.mcpserver.tools import Tool

from server.services import Runtime, principal_of
from tools.provider import SETUPS
from tools.selection import ALWAYS

DISCOVERY = "discovery"
OVERVIEW = "overview"
EVENTS = "events"

BY_DEFAULT = frozenset({ALWAYS, DISCOVERY, OVERVIEW})
"""Toolsets of our own that the default surface holds."""


def own_tools(runtime: Runtime) -> dict[str, list[Tool]]:
    """Every tool of our own, whatever the surface shows of them."""
    return {toolset: make(runtime) for toolset, make in _TOOLSETS.items()}


def _actions(runtime: Runtime) -> list[Tool]:
    from tools.actions.handlers import action_tools

    return action_tools(runtime.actions)


def _overview(runtime: Runtime) -> list[Tool]:
    from tools.overview.handlers import OverviewDesk, overview_tools

    return overview_tools(
        OverviewDesk(
            views=lambda: runtime.views,
            not_set_up=[name for name in SETUPS if name not in runtime.clients],
            journal=lambda: runtime.record.journal,
            spending=lambda: runtime.spending,
            caps=runtime.settings.rules.rules(runtime.policy).caps,
            principal=principal_of,
            now=runtime.now,
        )
    )


def _discovery(runtime: Runtime) -> list[Tool]:
    from tools.discovery.handlers import DiscoveryDesk, discovery_tools

    return discovery_tools(
        DiscoveryDesk(
            desk=runtime.desk,
            policy=runtime.policy,
            providers=tuple(runtime.clients),
            bar=runtime.bar,
            listed=lambda: [tool for name, make in _TOOLSETS.items() if name != DISCOVERY for tool in make(runtime)],
        )
    )


def _events(runtime: Runtime) -> list[Tool]:
    reader = runtime.readers.get("routee")
    if reader is None:
        return []
    from tools.events.handlers import EventDesk, event_tools

    return event_tools(
        EventDesk(
            events=lambda: runtime.record.events,
            reader=reader,
            memory=lambda: runtime.record.taint,
            principal=principal_of,
            reached_at=lambda: runtime.is_reached_by_providers,
        )
    )


_TOOLSETS: Mapping[str, Callable[[Runtime], list[Tool]]] = {
    ALWAYS: _actions,
    OVERVIEW: _overview,
    DISCOVERY: _discovery,
    EVENTS: _events,
}
