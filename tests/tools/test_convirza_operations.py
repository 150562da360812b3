"""Every Convirza operation, once, through its tool and against the simulated Convirza."""

import re
from pathlib import Path
from typing import Any

from sandbox.convirza.catalog import SIDEBAR
from tests.tools.convirza_session import open_session
from tests.tools.example_reads import example_reads
from tests.tools.test_schemas import tokens
from tools.registry import all_operations

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_own_profile", {}),
    ("list_users", {"role": "Standard", "status": "active"}),
    ("get_user", {"user_id": 84785}),
    (
        "create_user",
        {
            "email": "new@bluewater.example",
            "first_name": "N",
            "last_name": "W",
            "org_unit_id": 70038,
            "role": "ReadOnly",
        },
    ),
    ("update_user", {"user_id": 12346, "ring_to": "2015550142", "access_audio": True}),
    (
        "replace_user",
        {
            "user_id": 12346,
            "email": "new@bluewater.example",
            "first_name": "N",
            "last_name": "W",
            "org_unit_id": 70038,
            "role": "ReadOnly",
        },
    ),
    ("delete_user", {"user_id": 12346}),
    ("list_child_groups", {"status": "active"}),
    ("list_groups", {"name": "office"}),
    ("get_group_tree", {"include_inactive": True}),
    ("get_org_unit_hierarchy", {"org_unit_id": 65000}),
    ("get_group", {"org_unit_id": 70035}),
    ("create_group", {"name": "Newark Office", "parent_id": 65000, "province": "NJ", "phone_number": "2015550142"}),
    ("update_group", {"org_unit_id": 70100, "city": "Newark"}),
    ("replace_group", {"org_unit_id": 70100, "name": "Newark", "parent_id": 65000, "status": "active"}),
    ("delete_group", {"org_unit_id": 70100}),
    ("list_webhooks", {}),
    ("create_webhook", {"name": "Leads", "url": "https://leads.bluewater.example/in", "use_shared_token": True}),
    ("get_webhook", {"webhook_id": 10}),
    ("update_webhook", {"webhook_id": 10, "status": "inactive"}),
    ("replace_webhook", {"webhook_id": 10, "name": "Leads", "url": "https://leads.bluewater.example/new"}),
    ("delete_webhook", {"webhook_id": 10}),
    ("list_prompts", {"kind": "whisper"}),
    ("upload_prompt", {"file_name": "closed.wav", "audio": "UklGRg0K", "kind": "prompt"}),
    ("delete_prompt", {"prompt_id": "fBiYF5MG_1674141425479"}),
    ("list_voice_agents", {}),
    ("create_voice_agent", {"name": "Night desk", "greeting": "Hello", "transfer_number": "2015550142"}),
    ("get_voice_agent", {"voice_agent_id": 690}),
    ("update_voice_agent", {"voice_agent_id": 690, "greeting": "Good evening"}),
    ("replace_voice_agent", {"voice_agent_id": 690, "name": "Night desk", "prompt": "Take messages."}),
    ("delete_voice_agent", {"voice_agent_id": 690}),
    ("list_assigned_numbers", {"limit": 200}),
    ("list_provisioned_numbers", {"org_unit_id": 70035}),
    ("search_numbers", {"starts_with": "512"}),
    ("order_number", {"number": "5125802000"}),
    ("release_number", {"phone_number_id": 67890}),
    ("list_provisioned_routes", {"status": "active"}),
    (
        "create_provisioned_route",
        {
            "name": "Bus stops",
            "org_unit_id": 65000,
            "webhook_id": 1,
            "sms_enabled": True,
            "custom_sources": [{"id": 1080, "slot": "CS1"}],
            "config": {
                "ring_to": "2015550142",
                "message_enabled": True,
                "message_type": "file",
                "message": "qLMcUEqb_1660813454043",
                "voicemail_rings": 3,
                "play_disclaimer": "before",
                "overflow_numbers": [{"number": "2015550144", "rings": 3}],
                "hunt_group": {"type": "round_robin", "numbers": ["2015550142", "2015550144"]},
            },
            "routing_type": "round_robin",
            "phone_numbers": [{"phone_number_id": 45107, "phone_number": "6465550207"}],
        },
    ),
    ("get_provisioned_route", {"route_id": 12345}),
    ("update_provisioned_route", {"route_id": 12345, "webhook_id": 0, "config": {"record_call": False}}),
    (
        "replace_provisioned_route",
        {"route_id": 12345, "name": "Buses", "status": "inactive", "config": {"ring_to": "2015550142"}},
    ),
    ("delete_provisioned_route", {"route_id": 12345}),
    ("list_broadcasts", {}),
    (
        "create_broadcast",
        {
            "name": "Closed",
            "message": "Closed on Friday.",
            "from_number": "2125550202",
            "recipients": ["9175550161"],
            "when": "2099-05-19T12:00:00Z",
        },
    ),
    ("get_broadcast", {"broadcast_id": 5003}),
    ("update_broadcast", {"broadcast_id": 5003, "message": "Closed on Friday and Monday."}),
    (
        "replace_broadcast",
        {
            "broadcast_id": 5003,
            "name": "Closed",
            "message": "Closed on Monday.",
            "from_number": "2125550202",
            "recipients": ["9175550161", "7185550167"],
            "when": "2099-05-20T12:00:00Z",
        },
    ),
    ("delete_broadcast", {"broadcast_id": 5003}),
    ("list_calls", {"dispositions": ["ANSWERED", "NO ANSWER"], "include": ["tags", "transcription", "recordings"]}),
    ("get_call", {"call_id": 7700002, "include": ["call_flow", "recordings", "custom_sources", "comments"]}),
    ("list_sms_conversations", {"folder": "open"}),
    ("list_ad_sources", {}),
    ("list_industries", {}),
    ("list_tags", {}),
    ("create_tag", {"name": "Lead"}),
    ("update_tag", {"tag_id": 805, "name": "Hot lead"}),
    ("delete_tag", {"tag_id": 805}),
]
CALLS.extend(example_reads("convirza", {tool for tool, _ in CALLS}).items())


def test_the_list_of_calls_names_every_tool() -> None:
    assert {f"convirza_{tool}" for tool, _ in CALLS} == {
        name for name in all_operations() if name.startswith("convirza_")
    }


def test_the_tools_are_the_56_operations_of_the_sidebar_and_the_profile() -> None:
    specs = [operation.spec for name, operation in all_operations().items() if name.startswith("convirza_")]
    ours = {(spec.method, re.sub(r"\{\w+\}", "{id}", spec.path)) for spec in specs}
    # Update Tag stands twice in the sandbox, because no page shows its method
    sidebar = {(found.method, found.path) for found in SIDEBAR} - {("PATCH", "/v3/tag/{id}")}
    assert len(sidebar) == 56
    assert ours == sidebar | {("GET", "/v3/auth/profile")}


def test_all_of_convirza_costs_at_most_13500_tokens() -> None:
    operations = [operation for name, operation in all_operations().items() if name.startswith("convirza_")]
    assert tokens(operations) <= 13_500


async def test_every_operation_is_accepted_by_the_simulated_convirza(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        for tool, arguments in CALLS:
            await session.call(tool, **arguments)
        refused = [
            (row["method"], row["path"], row["status"])
            for row in await session.sandbox.requests()
            if row["status"] >= 400
        ]
    assert refused == []
