"""The sandbox has two accounts of each provider, with money and numbers of their own."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from clients.client import ApiClient
from clients.operation import Operation
from sandbox.accounts import other_accounts, simulated_accounts
from sandbox.enswitch import seed as enswitch
from server.services import Services
from server.settings.model import settings_class
from tests.sandbox_control import sandboxes
from tools.registry import operation_named

OTHER: Final = "other"

READS: Final[Mapping[str, tuple[dict[str, dict[str, Any]], str]]] = {
    "voicetel": ({"voicetel_list_numbers": {}, "voicetel_list_gateways": {}, "voicetel_list_tickets": {}}, "5550142"),
    "routee": (
        {"routee_list_numbers": {}, "routee_list_contacts": {}, "routee_get_balance": {}, "routee_list_groups": {}},
        "+306948530955",
    ),
    "convirza": ({"convirza_list_users": {}, "convirza_list_assigned_numbers": {}}, "bluewater.example"),
    "enswitch": (
        {"enswitch_list_numbers": {}, "enswitch_list_phones": {}, "enswitch_list_mailboxes": {}},
        "12015550142",
    ),
}
"""Reads of each provider, and something of the first account that they show."""


@pytest.mark.parametrize("provider", READS)
async def test_two_accounts_of_a_provider_do_not_see_each_others_data(provider: str, tmp_path: Any) -> None:
    calls, sign = READS[provider]
    async with accounts(provider, tmp_path) as (first, other):
        seen = [await _ids(client, calls) for client in (first, other)]
        assert sign in str(seen[0])
        assert sign not in str(seen[1])
        for tool in calls:
            assert seen[0][tool] != seen[1][tool], tool
        assert any(seen[1].values())


@asynccontextmanager
async def accounts(provider: str, folder: Any) -> AsyncGenerator[tuple[ApiClient, ApiClient]]:
    async with sandboxes() as sandbox:
        own = dict(simulated_accounts(sandbox.url)[provider])
        if provider == "enswitch":  # the seeded system owner sees every customer, and Bluewater's people only their own
            own |= {"username": "bluewater.admin", "password": enswitch.password_of("bluewater.admin")}
        named = {OTHER: {"provider": provider, **other_accounts(sandbox.url)[provider]}}
        given = {provider: own, "accounts": named, "state_folder": folder}
        services = Services(settings_class().model_validate(given))
        yield services.clients[provider], services.clients[OTHER]
        await services.close()


async def _ids(client: ApiClient, calls: dict[str, dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tool, arguments in calls.items():
        declared = operation_named(tool)
        assert declared is not None, tool
        call: Operation[Any] = declared.model_validate(arguments)
        found[tool] = (await client.exchange(call)).raw
    return found
