"""A call whose answer was lost is looked after: found done, found not done, or honestly left unknown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from clients.operation import Operation, OperationType
from guard.action import State
from sandbox.voicetel.seed import ADMIN_API_KEY
from tests.guard.lost_answers import Bench, Lost, open_bench
from tests.guard.lost_calls import ENSWITCH, routee_calls
from tests.sandbox.voicetel.documented.account import SEEDED_ADDRESS
from tests.tools.routee_session import text_of
from tools.registry import all_operations

MAIN = "+12015550142"
PORT: dict[str, Any] = {
    "numbers": ["+19175550185"],
    "name_type": "business",
    "name": "Acme Inc",
    "authorized_person": "Jane Smith",
    "billing_number": "+19175550185",
    "account_number": "123456789",
    "street_number": "550",
    "street": "Main",
    "street_type": "ST",
    "city": "Chicago",
    "state": "IL",
    "zip": "60601",
}
ADDRESS = {"address1": "411 HACKENSACK AVE", "city": "HACKENSACK", "state": "NJ", "zip": "07601"}
SMS = {"from_number": "+13125550154", "to_number": "+12125550142", "text": "Your table is ready."}

VOICETEL = [
    Lost(tool="voicetel_add_number", arguments={"number": "+19175550187"}),
    Lost(tool="voicetel_release_number", arguments={"number": "+16465550147"}),
    Lost(tool="voicetel_remove_number", arguments={"number": "+14045550155"}),
    Lost(tool="voicetel_move_number", arguments={"number": "+17205550151", "account_id": 2015550177, "route": 1000}),
    Lost(tool="voicetel_set_route", arguments={"number": MAIN, "route": 1001}),
    Lost(tool="voicetel_set_forward", arguments={"number": MAIN, "destination": "+19175550161"}),
    Lost(tool="voicetel_remove_forward", arguments={"number": "+12125550146"}),
    Lost(tool="voicetel_set_dnis_translation", arguments={"number": MAIN, "translation": "+12015559999"}),
    Lost(
        tool="voicetel_set_sms_routing",
        arguments={"number": MAIN, "type": "email", "resource": "user@example.com"},
    ),
    Lost(tool="voicetel_remove_sms_routing", arguments={"number": MAIN}),
    Lost(tool="voicetel_set_fax_routing", arguments={"number": MAIN, "email": "fax@example.com"}),
    Lost(tool="voicetel_remove_fax_routing", arguments={"number": "+12015550143"}),
    Lost(tool="voicetel_set_messaging_routes", arguments={"number": MAIN, "route_in": 7002}),
    Lost(tool="voicetel_assign_campaign", arguments={"number": "+12015550144", "campaign_id": "CBW9Q4M"}),
    Lost(tool="voicetel_unassign_campaign", arguments={"number": "+13055550148", "campaign_id": "CBW7T2K"}),
    Lost(
        tool="voicetel_unassign_campaign_in_bulk",
        arguments={"numbers": [MAIN, "+12125550145"], "campaign_id": "CBW7T2K"},
    ),
    Lost(tool="voicetel_set_cnam_lookup", arguments={"number": "+12015550143", "enabled": True}),
    Lost(tool="voicetel_order_numbers", arguments={"numbers": ["+12125550100"]}),
    Lost(
        tool="voicetel_submit_port",
        arguments=PORT,
        first=(("voicetel_check_portability", {"number": "+19175550185"}),),
    ),
    Lost(tool="voicetel_send_message", arguments=SMS, shows_undone=False),
    Lost(tool="voicetel_set_messaging_alerts", arguments={"enabled": False}),
    Lost(
        tool="voicetel_register_campaign",
        arguments={"campaign_id": "CNEW123", "brand_id": "BBLUEW1", "description": "Order updates"},
    ),
    Lost(
        tool="voicetel_create_e911_record",
        arguments={"number": "+12015550143", "caller_name": "FRONT DESK", **ADDRESS},
    ),
    Lost(
        tool="voicetel_update_e911_record",
        arguments={"number": MAIN, "address_id": SEEDED_ADDRESS, "caller_name": "FRONT DESK"},
        shows_done=False,
    ),
    Lost(tool="voicetel_delete_e911_record", arguments={"number": MAIN}),
    Lost(tool="voicetel_create_gateway", arguments={"address": "203.0.113.77:5060", "prefix": "9"}),
    Lost(tool="voicetel_update_gateway", arguments={"gateway_id": 1003, "limit": 30}),
    Lost(tool="voicetel_delete_gateway", arguments={"gateway_id": 1003}),
    Lost(tool="voicetel_update_account", arguments={"notify_threshold": 40}),
    Lost(tool="voicetel_add_acl_entries", arguments={"blocks": ["203.0.113.77/32"]}),
    Lost(tool="voicetel_remove_acl_entries", arguments={"blocks": ["198.51.100.0/24"]}),
    Lost(tool="voicetel_update_authentication", arguments={"mode": "digest"}),
    Lost(tool="voicetel_create_ticket", arguments={"subject": "Late invoice", "message": "Where is it?"}),
    Lost(
        tool="voicetel_reply_to_ticket",
        arguments={"ticket_id": 30412, "message": "Thank you & good night."},
        shows_undone=False,
    ),
    Lost(tool="voicetel_set_ticket_status", arguments={"ticket_id": 30412, "status": "closed"}),
    Lost(
        tool="voicetel_delete_ticket",
        arguments={"ticket_id": 30412},
        account={"api_key": SecretStr(ADMIN_API_KEY)},
    ),
]


ALONE = {"voicetel_update_account", "voicetel_delete_ticket"}
"""The one needs fresh reads of the account, which are six an hour, the other the rights of an administrator."""


@pytest.mark.parametrize("lost", [lost for lost in VOICETEL if lost.tool in ALONE], ids=lambda lost: lost.tool)
async def test_looking_tells_what_became_of_a_call_whose_answer_was_lost(lost: Lost, tmp_path: Path) -> None:
    async with open_bench(tmp_path, "voicetel", **lost.account) as bench:
        assert await bench.seen(lost) == lost.can_be_seen


@pytest.mark.parametrize("provider", ["voicetel", "routee", "enswitch"])
async def test_looking_tells_it_of_every_call_of_a_provider(provider: str, tmp_path: Path) -> None:
    """One account for all of them, in their order."""
    seen: dict[str, tuple[State, State]] = {}
    async with open_bench(tmp_path, provider) as bench:
        calls = await _calls(provider, bench)
        for lost in calls:
            seen[lost.tool] = await bench.seen(lost)
    assert seen == {lost.tool: lost.can_be_seen for lost in calls}


async def test_what_was_there_before_a_call_is_not_taken_for_its_effect(tmp_path: Path) -> None:
    lost = Lost(tool="voicetel_create_gateway", arguments={"address": "203.0.113.40"})
    async with open_bench(tmp_path, "voicetel") as bench:
        assert await bench.look(await bench.lose(lost, "drop_before")) is State.UNKNOWN
        again = await bench.call("voicetel_add_number", {"number": MAIN})
        assert "is on this account already; nothing was sent" in text_of(again)


async def test_a_new_gateway_is_not_told_from_an_older_one_where_nobody_looked_before(tmp_path: Path) -> None:
    lost = Lost(tool="voicetel_create_gateway", arguments={"address": "203.0.113.77:5060"})
    async with open_bench(tmp_path, "voicetel") as bench:
        await bench.sandbox.break_with("status", provider="voicetel", method="GET", status=500, times=None)
        assert await bench.look(await bench.lose(lost, "drop_after")) is State.UNKNOWN


async def _calls(provider: str, bench: Bench) -> Sequence[Lost]:
    if provider == "routee":
        return await routee_calls(bench)
    return ENSWITCH if provider == "enswitch" else [lost for lost in VOICETEL if lost.tool not in ALONE]


def _changes(provider: str) -> list[Any]:
    return [
        pytest.param(operation, id=name)
        for name, operation in all_operations().items()
        if operation.spec.provider.name == provider and not operation.spec.effect.is_plain_read
    ]


@pytest.mark.parametrize("operation", _changes("voicetel"))
def test_every_change_at_voicetel_has_a_read_that_tells_or_says_why_none_can(operation: OperationType) -> None:
    """The table above shows that the read tells."""
    is_shown = operation.spec.tool_name in {lost.tool for lost in VOICETEL}
    assert is_shown == (not operation.spec.unverifiable)


@pytest.mark.parametrize("operation", [*_changes("routee"), *_changes("convirza"), *_changes("enswitch")])
def test_every_guarded_call_elsewhere_names_a_read_or_says_why_none_can_tell(operation: OperationType) -> None:
    if operation.spec.effect.is_guarded:
        declared = any("verification" in vars(base) for base in operation.__mro__ if base is not Operation)
        assert declared or operation.spec.unverifiable
