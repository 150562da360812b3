"""Calls at Routee and Enswitch whose answer is lost. One account serves them all, so their order counts."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.routee.seed import AMERICAN_NUMBER, BRITISH_NUMBER, VIBER_SENDER
from tests.guard.lost_answers import Bench, Lost

GREEK: Final = "+306970000555"
ELENI: Final = "+306971234567"
POOL: Final = "71ce3b19-e3a9-5522-bcc8-58d03179c4cf"
WAITING: Final = "d9bbf94b-9048-5ead-8a19-d9893eaef5d0"
LATER: Final = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat()
TEXT: Final[dict[str, Any]] = {"sender": "Bluewater", "text": "Hello"}


async def routee_calls(bench: Bench) -> list[Lost]:
    """Every guarded call of Routee's that a read tells of; the address book's ids are looked up."""
    people: list[str] = [row["id"] for row in await _listed(bench, "routee_list_contacts", "contacts")]
    marcus: str = (await _listed(bench, "routee_list_blacklist", "contacts", service="Sms"))[0]["id"]
    verification = await bench.call(
        "routee_send_verification", {"method": "sms", "recipient": GREEK, "template": "@@pin"}
    )
    code: dict[str, Any] = verification.structured_content or {}
    hook = "https://hooks.bluewater.example/new"
    steps: list[dict[str, Any]] = [{"channel": "Viber", "sender_id": VIBER_SENDER, "to": GREEK, "text": "Hello"}]
    return [
        _routee("confirm_verification", {"verification_id": code["tracking_id"], "code": CODE}, shows_undone=False),
        _routee("send_sms", {**TEXT, "to": GREEK}, shows_undone=False),
        _routee(
            "send_campaign",
            {**TEXT, "to": [GREEK], "when": "now", "campaign_name": "Lost one"},
            shows_undone=False,
        ),
        _routee("update_campaign", {**TEXT, "campaign_id": WAITING, "to": [GREEK], "when": LATER}),
        _routee("delete_campaign", {"campaign_id": WAITING}),
        _routee("rent_number", {"number": "+306948530007"}),
        _routee("update_number", {"number": BRITISH_NUMBER, "inbound_sms_url": hook}),
        _routee(
            "send_pool_sms", {"pool_id": POOL, "to": GREEK, "text": "Hi", "strategy": "Numeric"}, shows_undone=False
        ),
        _routee("create_pool", {"name": "Fresh"}, shows_done=False),
        _routee("update_pool", {"pool_id": POOL, "name": "Renamed", "sticky": False}),
        _routee("remove_pool_number", {"pool_id": POOL, "number": BRITISH_NUMBER}),
        _routee("add_pool_number", {"pool_id": POOL, "number": BRITISH_NUMBER}),
        _routee("delete_pool", {"pool_id": POOL}),
        _routee("cancel_number", {"number": AMERICAN_NUMBER}),
        _routee("create_labels", {"labels": [{"name": "tooth"}]}, shows_undone=False),
        _routee("update_contact", {"contact_id": people[3], "mobile": ELENI, "first_name": "Elena"}),
        _routee("add_group_contacts", {"name": "Newsletter", "contact_ids": [people[3]]}),
        _routee("remove_from_blacklist", {"service": "Sms", "contact_ids": [marcus]}),
        _routee("remove_groups_from_blacklist", {"service": "Viber", "groups": ["Patients UK"]}, shows_done=False),
        _routee("delete_contact", {"contact_id": people[0]}),
        _routee("delete_contacts", {"contact_ids": people[1:3]}),
        _routee("delete_groups", {"groups": ["Newsletter"]}),
        _routee("look_up_number", {"to": GREEK}, shows_undone=False),
        _routee("send_failover", {"steps": steps}, shows_undone=False),
    ]


CODE: Final = "4829"
"""What the simulated Routee sends, where four digits are asked for."""


def _routee(tool: str, arguments: dict[str, Any], *, shows_done: bool = True, shows_undone: bool = True) -> Lost:
    return Lost(tool=f"routee_{tool}", arguments=arguments, shows_done=shows_done, shows_undone=shows_undone)


def _enswitch(tool: str, *, shows_done: bool = True, shows_undone: bool = True, **arguments: Any) -> Lost:
    return Lost(tool=f"enswitch_{tool}", arguments=arguments, shows_done=shows_done, shows_undone=shows_undone)


FORWARDED: Final[dict[str, Any]] = {"name": "bw-rey", "dtype": "external", "dnumber": "+12015550123"}

ENSWITCH: Final = [
    _enswitch("create_plan_route", plan=3, called_prefix="0112", allow="forbid"),
    _enswitch("update_plan_route", route="41", description="Checked"),
    _enswitch("delete_plan_route", route="41"),
    _enswitch("purchase_number", customer=3, number="12015550120"),
    _enswitch("update_number", number="12015550142", dtype="external", dnumber="12015550123", callerid="12015550143"),
    _enswitch("release_number", number="12015550190"),
    _enswitch("create_system_numbers", start="12015559000", number_class=1, ingroup=21),
    _enswitch("update_system_number", number="12015559000", region="NJ"),
    _enswitch("delete_system_number", number="12015559000"),
    _enswitch("add_customer_balance", id=4, amount="25.01", shows_undone=False),
    _enswitch("create_charge", name="Cabling", customer=3, amount="80.00", period="monthly", shows_done=False),
    _enswitch("update_invoice", id=922, status="paid"),
    _enswitch("set_tax_liability", tax=951, type="customer", number=3, liable=True),
    _enswitch(
        "create_person", username="new.desk", email="new@bluewater.example", role=5, customer=3, shows_done=False
    ),
    _enswitch("create_role", name="Night desk", shows_done=False),
    _enswitch("create_calleridgroup", name="Night", description="Callers at night", customer=3, shows_done=False),
    _enswitch("create_phone", name="bw-new", customer=3, shows_done=False),
    _enswitch("update_phone", **FORWARDED, aoc=False, allowed_ua="Yealink", description="Dr. Rey, room 2"),
    _enswitch("create_queue_destination", queue=801, dtype="forward", dnumber="12015550123"),
    _enswitch("create_address", user="fax", domain="b.example", dtype="external", dnumber="12015550123", customer=3),
    _enswitch("create_mailbox", mailbox="204", customer=3, shows_done=False),
    _enswitch("delete_person", id=302, delete_features=True),
]


async def _listed(bench: Bench, tool: str, rows: str, **arguments: Any) -> list[dict[str, Any]]:
    content: dict[str, Any] = (await bench.call(tool, arguments)).structured_content or {}
    found: list[dict[str, Any]] = content[rows]
    return found
