"""The account that a call is made on, where a session may use several of one provider: what a tool asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.services import Services
from tools.plans.handlers import propose_plan, with_account_of_steps
from tools.registry import provider_of_tool
from tools.schema import with_account


def with_accounts(
    tool: Mapping[str, Any], accounts: Mapping[str, Sequence[str]], services: Services
) -> Mapping[str, Any]:
    """Return a tool of a provider with several accounts as one that takes the account's name.

    `accounts` are the names to choose from, by provider.
    """
    provider, schema = provider_of_tool(tool["name"]), tool["inputSchema"]
    if provider is not None and provider in accounts:
        default = services.default_account(provider, accounts[provider])
        return {**tool, "inputSchema": with_account(schema, accounts[provider], default)}
    if tool["name"] == propose_plan.name:
        every = [name for names in accounts.values() for name in names]
        return {**tool, "inputSchema": with_account_of_steps(schema, every)}
    return tool
