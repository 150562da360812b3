"""Every bound on an argument has its reason in `bounds.json`, and values that the documents allow are taken.

A bound that no document gives refuses legal values, so a new one is named there: `documented`, `by definition`, `ours`,
`inferred`, or what it `protects`.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.sandbox_control import sandboxes
from tests.tools.constraints import constraints
from tools.arguments import BadArguments, parse
from tools.discovery.examples import ExampleAccount, example_of
from tools.registry import all_operations

REASONS = ("documented", "by definition: ", "ours: ", "inferred: ", "protects: ")
FILE = Path(__file__).parent / "bounds.json"

PICTURE = {
    "from_number": "+12015550142",
    "to_number": "+12125550142",
    "media_urls": ["https://media.example.com/a.png"],
}

AT_BROADWAY = {
    "numbers": ["+12015551000"],
    "name_type": "business",
    "name": "Acme Corp",
    "authorized_person": "Jane Smith",
    "billing_number": "+12015551000",
    "account_number": "123456789",
    "street_number": "550",
    "street": "Broadway",
    "street_type": "",
    "unit": "",
    "city": "New York",
    "state": "NY",
    "zip": "10012",
}

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("voicetel_update_account", {"timezone": "EST5EDT"}, {"timezone": "EST5EDT"}),
    (
        "voicetel_order_numbers",
        {"numbers": ["+12125550100", "+12125550101"], "routes": {"2125550101": 1}},
        {"numbers": ["2125550100", {"number": "2125550101", "route": 1}]},
    ),
    (
        "voicetel_order_numbers",
        {"numbers": ["+12125550102", "+12125550103"], "route": 3, "routes": {"+12125550103": 1}},
        {"numbers": [{"number": "2125550102", "route": 3}, {"number": "2125550103", "route": 1}]},
    ),
    ("voicetel_send_message", PICTURE, {"text": "", "mediaUrls": PICTURE["media_urls"]}),
    ("voicetel_submit_port", AT_BROADWAY, {"street": "Broadway", "streetType": "", "unitValue": ""}),
]
"""Values that were refused, and the bodies in which they arrive at the provider, which takes them."""

TAKEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "voicetel_submit_port",
        {"street": "Broadway", "street_type": "", "unit": ""},
        {"streetType": "", "unitValue": ""},
    ),
    ("voicetel_create_subaccount", {"master_account": "1002"}, {"masterAccount": "1002"}),
    ("voicetel_search_inventory", {"tn_mask": "*2*0*1*5*5*5*"}, {"tnMask": "*2*0*1*5*5*5*"}),
    ("voicetel_update_account", {"notify_threshold": -50}, {"notifyThreshold": -50}),
    (
        "routee_play_in_call",
        {"file_url": "https://a.example/x.wav?sig=1"},
        {"fileURL": "https://a.example/x.wav?sig=1"},
    ),
    ("routee_send_verification", {"digits": 12}, {"digits": 12}),
    ("routee_confirm_verification", {"code": "123456789012"}, {"answer": "123456789012"}),
    ("routee_merge_groups", {"groups": ["VIP"]}, {"groups": ["VIP"]}),
    ("routee_send_voice_campaign", {"hangup_delay": 90}, {"hangupDelay": 90}),
    ("routee_send_viber_code", {"template_lang": "pt-BR"}, {"templateLang": "pt-BR"}),
    ("routee_look_up_number", {"label": "x" * 400}, {"label": "x" * 400}),
    ("convirza_list_calls", {"caller": "+44 20 7946 0018"}, {"caller_id": "+442079460018"}),
    ("convirza_list_calls", {"caller": "201-555-0123"}, {"caller_id": "+12015550123"}),
    ("enswitch_list_available_numbers", {"count": 250, "preferred": "201*"}, {"count": 250, "preferred": "201*"}),
    ("enswitch_delete_messages", {"messages": ["m"] * 101}, {"messages": ",".join(["m"] * 101)}),
    ("enswitch_purchase_number", {"number": "1" * 24}, {"number": "1" * 24}),
    ("enswitch_make_call", {"stype": "sip2"}, {"stype": "sip2"}),
]
"""Values beside those of each tool's example, and what they are on the wire."""


def test_every_bound_on_an_argument_has_its_reason() -> None:
    kept: dict[str, dict[str, str]] = json.loads(FILE.read_text(encoding="utf-8"))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for operation in all_operations().values():
        bounds = {f"{one.kind} {one.rule}" for one in constraints(operation) if one.kind != "function-after"}
        found[operation.spec.provider.name] |= bounds
    assert {provider: set(reasons) for provider, reasons in kept.items()} == found
    reasons = {reason for of_provider in kept.values() for reason in of_provider.values()}
    assert [reason for reason in reasons if not reason.startswith(REASONS)] == []


@pytest.mark.parametrize(
    ("tool", "arguments", "on_wire"), TAKEN, ids=[f"{tool}-{next(iter(a))}" for tool, a, _ in TAKEN]
)
def test_a_value_that_no_document_forbids_is_taken(
    tool: str, arguments: dict[str, Any], on_wire: dict[str, Any]
) -> None:
    operation = all_operations()[tool]
    call, _ = parse(operation, {**example_of(operation), **arguments}, ExampleAccount())
    wire = call.to_wire()
    assert {name: wire[name] for name in on_wire} == on_wire


async def test_the_provider_takes_them(tmp_path: Path) -> None:
    policy = {"irreversible": "ask"}
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, policy=policy))
        async with connect(server, person=Person()) as client:
            await client.call_tool("voicetel_check_portability", {"number": AT_BROADWAY["billing_number"]})
            for tool, arguments, _ in CALLS:
                result = await client.call_tool(tool, arguments)
                assert not result.is_error, result
            listed = await client.call_tool("voicetel_list_numbers", {"limit": 500})
            owned: dict[str, Any] = content_of(listed)
        bodies = [row["body"] for row in await sandbox.writes()]
    for body, (_, _, on_wire) in zip(bodies, CALLS, strict=True):
        assert body == body | on_wire
    routes = {row["number"]: row["route"] for row in owned["numbers"]}
    assert [routes[f"+1212555010{last}"] for last in range(4)] == [4, 1, 3, 1]


def test_a_text_without_words_and_without_a_picture_is_refused() -> None:
    given = {name: value for name, value in PICTURE.items() if name != "media_urls"}
    with pytest.raises(BadArguments, match="give text, media_urls, or both"):
        parse(all_operations()["voicetel_send_message"], given, ExampleAccount())
