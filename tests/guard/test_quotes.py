"""What every paid operation says of its price before anybody is asked, with the arguments of its contract."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from clients.effects import Effect
from clients.operation import Operation
from guard.action import Action, Principal
from guard.errors import Denied
from guard.rules.quote import Quote
from server.services import Services
from server.settings.model import settings_class
from server.settings.sandbox_settings import sandbox_accounts
from tests.clients.accounts import http_client
from tests.sandbox_control import Sandbox, sandboxes
from tests.test_contracts import FOLDER
from tools.arguments import parse
from tools.discovery.examples import ExampleAccount
from tools.registry import all_operations, operations_of

PROVIDERS = ("voicetel", "routee", "convirza", "enswitch")
SOMEBODY = Principal("local:somebody")

HERE: Mapping[str, dict[str, Any]] = {
    "routee_send_campaign": {"sender": "Bluewater", "groups": ["Patients GR"], "text": "Hello", "when": "now"},
    "routee_update_campaign": {
        "campaign_id": "d9bbf94b-9048-5ead-8a19-d9893eaef5d0",
        "sender": "Bluewater",
        "groups": ["Patients GR"],
        "text": "Hello",
        "when": "now",
    },
    "routee_send_sms": {"sender": "Bluewater", "to": "+306970000555", "text": "Hello"},
    "routee_send_viber_campaign": {
        "sender_id": "5d10c2f7e4b0c1a2b3d4e5f6",
        "to": ["+306970000555"],
        "text": "Hello",
        "when": "now",
    },
}
"""Arguments for the simulated accounts, where those of the contract name what they do not have."""

PRICED: Mapping[str, str] = {
    "voicetel_add_number": "$1.00",
    "voicetel_set_cnam_lookup": "$0.0075",
    "voicetel_order_numbers": "$2.00",
    "voicetel_submit_port": "$12.00",
    "voicetel_send_message": "$0.01",
    "voicetel_look_up_cnam": "$0.0075",
    "voicetel_look_up_lrn": "$0.008",
    "routee_send_sms": "€0.045",
    "routee_send_campaign": "€0.096",
    "routee_update_campaign": "€0.096",
    "routee_rent_number": "€8.00",
    "routee_send_pool_sms": "€0.0083",
    "routee_send_verification": "€0.055",
    "routee_look_up_number": "€0.006",
    "routee_validate_number": "€0.009",
    "routee_send_viber_code": "€0.012",
    "routee_send_viber_campaign": "€0.012",
    "enswitch_create_customer": "$25.00",
    "enswitch_update_customer": "$25.00",
    "enswitch_add_customer_balance": "$25.00",
    "enswitch_request_topup": "$50.00",
    "enswitch_create_charge": "$30.00",
    "enswitch_create_card_batches": "$100.00",
    "enswitch_create_callshops": "$40.00",
}
"""What has a price here. Everything else must say why it has none."""

WORST_CASES: Mapping[str, str] = {"voicetel_create_e911_record": "$2.50", "voicetel_update_e911_record": "$2.50"}
"""What a document of the provider names as the most, where the account shows no price."""

FIXED = {"voicetel_submit_port", *WORST_CASES, *(tool for tool in PRICED if tool.startswith("enswitch"))}
"""What has its price from a document or from the call itself, and so without a read."""

WARNED: list[tuple[str, dict[str, Any], str]] = [
    ("voicetel_send_message", {}, "A message cannot be recalled. It is billed by segment"),
    ("voicetel_submit_port", {}, "no call of VoiceTel's cancels a port"),
    ("voicetel_order_numbers", {}, "An order may succeed in part"),
    ("routee_send_sms", {}, "cannot be recalled"),
    ("routee_send_campaign", {}, "One invalid number blocks the whole send."),
    ("routee_send_campaign", {}, "It is sent at once and cannot be recalled."),
    ("routee_update_campaign", {}, "It is sent at once and cannot be recalled."),
    ("routee_update_campaign", {}, "what is left out goes back to its default"),
    ("routee_update_campaign", {}, "`campaign_name` goes back to its default"),
    ("routee_rent_number", {}, "It renews by itself every month"),
    ("routee_send_viber_campaign", {}, "It is sent at once and cannot be recalled."),
    ("convirza_replace_provisioned_route", {"route_id": 12301, "config": None}, "goes back to its default"),
    ("convirza_replace_provisioned_route", {"route_id": 1}, "The state before could not be read"),
    ("convirza_replace_broadcast", {"when": "now"}, "Sent at once: it cannot be recalled."),
]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_paid_operation_has_a_price_with_its_source_or_says_why_not(provider: str, tmp_path: Path) -> None:
    found: dict[str, str] = {}
    async with _servers(tmp_path, provider) as (services, _):
        for tool, call in _paid(provider):
            priced = (await services.guard.propose(call, SOMEBODY)).quote
            assert not priced.costs_nothing, tool
            if priced.amount is None:
                assert priced.unknown, tool
                assert "Price unknown: " in _told(priced)
            else:
                assert priced.amount.amount > 0, tool
                assert priced.source, tool
                found[tool] = str(priced.amount)
    known = {**PRICED, **WORST_CASES}
    assert found == {tool: amount for tool, amount in known.items() if tool.startswith(provider)}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_where_prices_cannot_be_read_they_are_unknown_and_never_nothing(provider: str, tmp_path: Path) -> None:
    async with _servers(tmp_path, provider) as (services, sandbox):
        await sandbox.break_with("status", provider=provider, path=r"^(?!.*(oauth|login))", status=500, times=None)
        for tool, call in _paid(provider):
            priced = (await services.guard.propose(call, SOMEBODY)).quote
            assert (priced.amount is not None) == (tool in FIXED), tool
            assert priced.amount or priced.unknown, tool


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_unknown_price_is_refused_where_the_operator_says_so(provider: str, tmp_path: Path) -> None:
    async with _servers(tmp_path, provider, policy={"unknown_price": "deny"}) as (services, _):
        for tool, call in _paid(provider):
            allowed = (
                nullcontext()
                if tool in {**PRICED, **WORST_CASES}
                else pytest.raises(Denied, match="unknown price is refused")
            )
            with allowed:
                await services.guard.propose(call, SOMEBODY)


@pytest.mark.parametrize(("tool", "more", "warning"), WARNED)
async def test_the_quote_warns_of_what_the_documents_warn_of(
    tool: str, more: dict[str, Any], warning: str, tmp_path: Path
) -> None:
    provider = tool.partition("_")[0]
    async with _servers(tmp_path, provider) as (services, _):
        action: Action = await services.guard.propose(_call(tool, more), SOMEBODY)
    assert warning in _told(action.quote)


def _paid(provider: str) -> Iterator[tuple[str, Operation[Any]]]:
    for tool, operation in operations_of(provider).items():
        if Effect.PAID in operation.spec.effect:
            call = _call(tool, {})
            if call.charge() is not None:
                yield tool, call


def _call(tool: str, more: Mapping[str, Any]) -> Operation[Any]:
    content: Any = json.loads((FOLDER / f"{tool}.json").read_bytes())
    first = cast("dict[str, dict[str, Any]]", content[0] if isinstance(content, list) else content)
    arguments = HERE.get(tool) or first["arguments"]
    call: Operation[Any] = parse(all_operations()[tool], {**arguments, **more}, ExampleAccount())[0]
    return call


@asynccontextmanager
async def _servers(folder: Path, provider: str, **more: Any) -> AsyncGenerator[tuple[Services, Sandbox]]:
    async with sandboxes() as sandbox, http_client() as http:
        settings = settings_class().model_validate(
            {
                provider: sandbox_accounts(sandbox.url)[provider],
                "state_folder": folder,
                "destinations": {"countries": ["US", "CA", "GR", "GB"]},
                **more,
            }
        )
        services = Services(settings, given_http=http)
        try:
            yield services, sandbox
        finally:
            await services.store.database.close()


def _told(priced: Quote) -> str:
    return "\n".join(priced.lines())
