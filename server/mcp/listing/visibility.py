"""Which tools one client sees: what its headers and its token leave of the list, and where it chooses an account."""

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from server.mcp.listing.registry import NotOffered, ToolRegistry
from server.mcp.session import EVERYTHING, Session, headers_of
from server.services import Services
from tools.registry import provider_of_tool
from tools.selection import selection_from_headers, usable_accounts


def visible_to(registry: ToolRegistry, context: ServerRequestContext[Any, Any], services: Services) -> frozenset[str]:
    """Return the names of the tools that this client sees and may call.

    Raises:
        MCPError: Its headers name a toolset or tool that this server does not offer.
    """
    return _left_of(registry, context, services, in_list=False)


def listed_for(registry: ToolRegistry, context: ServerRequestContext[Any, Any], services: Services) -> frozenset[str]:
    """Return the names of the tools in this client's list, which may name some that only a wider token reaches.

    Raises:
        MCPError: Its headers name a toolset or tool that this server does not offer.
    """
    return _left_of(registry, context, services, in_list=True)


def _left_of(
    registry: ToolRegistry, context: ServerRequestContext[Any, Any], services: Services, *, in_list: bool
) -> frozenset[str]:
    try:
        visible = registry.visible(selection_from_headers(headers_of(context)))
    except NotOffered as unknown:
        raise MCPError(code=INVALID_PARAMS, message=str(unknown)) from None
    session = Session(context, registry.selection)
    grant = session.grant
    if grant is EVERYTHING:
        return visible
    return frozenset(
        name
        for name in visible
        if ((in_list and grant.shows_all) or grant.selection.includes(registry.listed[name].info))
        and _has_account(provider_of_tool(name), session, services)
    )


def _has_account(provider: str | None, session: Session, services: Services) -> bool:
    """Return True unless a session may use none of a provider's accounts."""
    if provider is None or not services.accounts_of(provider):
        return True
    return bool(usable_accounts(provider, session, services))


def accounts_to_name(session: Session, services: Services) -> dict[str, list[str]]:
    """Return the names among which a session's calls choose, of each provider of which it may use several accounts."""
    usable = {provider: usable_accounts(provider, session, services) for provider in services.set_up}
    return {provider: names for provider, names in usable.items() if len(names) > 1}
