"""The tools that are no provider's operation, by toolset. Their modules are imported when they are needed."""

from collections.abc import Callable, Mapping

from mcp.server.mcpserver.tools import Tool

from server.services import Services, principal_of
from tools.provider import SETUPS
from tools.selection import ALWAYS

DISCOVERY = "discovery"
OVERVIEW = "overview"
EVENTS = "events"

BY_DEFAULT = frozenset({ALWAYS, DISCOVERY, OVERVIEW})
"""Toolsets of our own that the default surface holds."""


def own_tools(services: Services) -> dict[str, list[Tool]]:
    """Every tool of our own, whatever the surface shows of them."""
    return {toolset: make(services) for toolset, make in _TOOLSETS.items()}


def _actions(services: Services) -> list[Tool]:
    from tools.actions.handlers import action_tools

    return action_tools(services.actions)


def _overview(services: Services) -> list[Tool]:
    from tools.overview.handlers import OverviewHandlers, overview_tools

    return overview_tools(
        OverviewHandlers(
            views=lambda: services.views,
            not_set_up=[name for name in SETUPS if name not in services.clients],
            journal=lambda: services.store.journal,
            spending=lambda: services.spending,
            caps=services.settings.rules.rules(services.policy).caps,
            principal=principal_of,
            now=services.clock.now,
        )
    )


def _discovery(services: Services) -> list[Tool]:
    from tools.discovery.handlers import DiscoveryHandlers, discovery_tools

    return discovery_tools(
        DiscoveryHandlers(
            desk=services.desk,
            policy=services.policy,
            providers=tuple(services.clients),
            bar=services.bar,
            listed=lambda: [tool for name, make in _TOOLSETS.items() if name != DISCOVERY for tool in make(services)],
        )
    )


def _events(services: Services) -> list[Tool]:
    reader = services.readers.get("routee")
    if reader is None:
        return []
    from tools.events.handlers import EventHandlers, event_tools

    return event_tools(
        EventHandlers(
            events=lambda: services.store.events,
            reader=reader,
            memory=lambda: services.store.taint,
            principal=principal_of,
            reached_at=lambda: services.is_reached_by_providers,
        )
    )


_TOOLSETS: Mapping[str, Callable[[Services], list[Tool]]] = {
    ALWAYS: _actions,
    OVERVIEW: _overview,
    DISCOVERY: _discovery,
    EVENTS: _events,
}
