"""What policy decides, seen through the door: the most specific rule of the operator counts, and a session tightens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, MCPError

from server.settings.errors import BadSettings
from server.settings.load import read_settings
from server.settings.sandbox_settings import sandbox_accounts
from tests.connecting import Person, connect, server_for, settings_for
from tests.sandbox_control import Sandbox, sandboxes

OURS = "+12015550142"
Decided = Literal["allow", "ask", "page", "deny"]

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "read": ("voicetel_list_gateways", {}),
    "write": ("routee_create_group", {"name": "Fresh"}),
    "outward": ("voicetel_create_ticket", {"subject": "No audio", "message": "Calls have no sound."}),
    "paid and outward": ("voicetel_send_message", {"from_number": OURS, "to_number": "+12125550142", "text": "Ready."}),
    "paid": ("voicetel_order_numbers", {"numbers": ["+12125550100"]}),
    "paid read": ("voicetel_look_up_cnam", {"number": "+12125550142"}),
    "reroutes": ("voicetel_set_forward", {"number": OURS, "destination": "+12125550142"}),
    "destructive": ("voicetel_delete_e911_record", {"number": OURS}),
    "destructive and reroutes": ("voicetel_remove_forward", {"number": OURS}),
    "privileged": ("voicetel_add_acl_entries", {"blocks": ["198.51.100.7/32"]}),
    "irreversible": ("voicetel_release_number", {"number": OURS}),
}

DELIVERED: dict[str, Decided] = {
    "read": "allow",
    "write": "allow",
    "outward": "ask",
    "paid and outward": "ask",
    "paid": "ask",
    "paid read": "ask",
    "reroutes": "ask",
    "destructive": "ask",
    "destructive and reroutes": "ask",
    "privileged": "ask",
    "irreversible": "page",
}

RULES: list[tuple[str, dict[str, Any], dict[str, Decided]]] = [
    ("as delivered", {}, DELIVERED),
    ("an effect is denied", {"policy": {"paid": "deny"}}, {"paid": "deny", "paid read": "deny", "reroutes": "ask"}),
    ("an effect goes to the operator", {"policy": {"paid": "page"}}, {"paid": "page", "paid read": "page"}),
    ("an effect is allowed", {"policy": {"paid": "allow"}}, {"paid read": "allow", "reroutes": "ask"}),
    ("reads are asked about", {"policy": {"read": "ask"}}, {"read": "ask", "paid read": "ask"}),
    ("writes are asked about", {"policy": {"write": "ask"}}, {"write": "ask", "read": "allow"}),
    (
        "what reaches people for money is decided by its price, unless the operator decided about reaching people",
        {"policy": {"paid": "allow"}},
        {"paid and outward": "allow", "outward": "ask"},
    ),
    (
        "what reaches people may be allowed, and what it costs is still asked about",
        {"policy": {"outward": "allow"}},
        {"outward": "allow", "paid and outward": "ask"},
    ),
    (
        "nobody may be reached, whatever it costs",
        {"policy": {"paid": "allow", "outward": "deny"}},
        {"outward": "deny", "paid and outward": "deny"},
    ),
    (
        "a session reaches nobody",
        {"policy": {"paid": "allow"}, "tighten": {"outward": "page"}},
        {"outward": "page", "paid and outward": "page"},
    ),
    (
        "of several effects the strictest counts",
        {"policy": {"destructive": "allow", "reroutes": "page"}},
        {"destructive and reroutes": "page", "reroutes": "page"},
    ),
    (
        "what no call brings back is for the operator, whatever its effect",
        {"policy": {"destructive": "allow"}},
        {"irreversible": "page"},
    ),
    (
        "what no call brings back, as its effect, where the operator says so",
        {"policy": {"irreversible": "allow"}},
        {"irreversible": "ask"},
    ),
    (
        "a denied effect stays denied where nothing brings it back",
        {"policy": {"destructive": "deny"}},
        {"irreversible": "deny"},
    ),
    (
        "a provider",
        {"policy": {"providers": {"voicetel": "deny"}}},
        {"read": "deny", "outward": "deny", "paid": "deny"},
    ),
    (
        "another provider",
        {"policy": {"providers": {"routee": "deny"}}},
        {"read": "allow", "paid": "ask", "write": "deny"},
    ),
    (
        "a toolset over its provider",
        {"policy": {"providers": {"voicetel": "deny"}, "toolsets": {"ordering": "ask"}}},
        {"paid": "ask", "outward": "deny"},
    ),
    (
        "a provider's toolset over every provider's",
        {"policy": {"toolsets": {"ordering": "deny", "voicetel.ordering": "page"}}},
        {"paid": "page"},
    ),
    (
        "an operation over its toolset, provider and effect",
        {
            "policy": {
                "paid": "deny",
                "providers": {"voicetel": "deny"},
                "toolsets": {"voicetel.ordering": "deny"},
                "operations": {"voicetel_order_numbers": "ask"},
            }
        },
        {"paid": "ask", "paid read": "deny"},
    ),
    (
        "an operation over what no call brings back",
        {"policy": {"operations": {"voicetel_release_number": "ask"}}},
        {"irreversible": "ask"},
    ),
    (
        "a session tightens what an operation allows",
        {"policy": {"operations": {"voicetel_look_up_cnam": "allow"}}, "tighten": {"paid": "page"}},
        {"paid read": "page", "paid": "page"},
    ),
    ("a session forbids", {"tighten": {"write": "deny", "read": "ask"}}, {"write": "deny", "read": "ask"}),
    (
        "a session loosens nothing",
        {"tighten": {"paid": "allow", "destructive": "allow"}},
        {"paid": "ask", "destructive": "ask", "irreversible": "page"},
    ),
]


async def test_each_call_is_decided_by_the_most_specific_rule(tmp_path: Path) -> None:
    decided: dict[str, dict[str, str]] = {}
    async with sandboxes() as sandbox:
        for place, (name, rules, expected) in enumerate(RULES):
            decided[name] = await _decided(sandbox, tmp_path / str(place), rules, list(expected))
        writes = [row["path"] for row in await sandbox.writes()]
        charged = {charge["what"] for charge in await sandbox.charges()}
    assert decided == {name: expected for name, _, expected in RULES}
    sent = {"/groups/my", "/v2.2/messages", "/v2.2/support/tickets"}
    assert charged == {"cnam", "sms"}
    assert set(writes) - {"/oauth/token"} == sent, "what was asked about or denied was sent"


async def test_a_read_only_session_has_no_other_tools(tmp_path: Path) -> None:
    allowed = {"policy": dict.fromkeys(("paid", "write", "reroutes", "destructive", "privileged", "outward"), "allow")}
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, read_only=True, **allowed))
        async with connect(server, person=Person()) as client:
            shown = {tool.name for tool in (await client.list_tools()).tools}
            for what in DELIVERED:
                tool, arguments = CALLS[what]
                assert (tool in shown) is (what == "read"), what
                if what == "read":
                    assert not (await client.call_tool(tool, arguments)).is_error
                else:
                    with pytest.raises(MCPError, match=f"no tool {tool} here.*Nothing was sent"):
                        await client.call_tool(tool, arguments)
            assert "undo_action" not in shown
        assert await sandbox.writes() == []


async def test_a_session_that_is_stricter_does_not_use_what_a_milder_one_prepared(tmp_path: Path) -> None:
    """They share store and principal: a question put to the client is not answered there in the stricter one."""
    tool, arguments = CALLS["paid"]
    person = Person()
    async with sandboxes() as sandbox:
        _, mild = server_for(settings_for(tmp_path, sandbox.voicetel))
        _, strict = server_for(settings_for(tmp_path, sandbox.voicetel, tighten={"paid": "page"}))
        async with connect(mild) as client:
            asked: dict[str, Any] = (await client.call_tool(tool, arguments)).structured_content or {}
        async with connect(strict, person=person) as client:
            again: dict[str, Any] = (await client.call_tool(tool, arguments)).structured_content or {}
        assert (asked["state"], again["state"]) == ("proposed", "proposed")
        assert again["action"] != asked["action"]
        assert person.questions == []
        assert await sandbox.writes() == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('[policy]\npaid = "sometimes"', "line 2: policy.paid: one of allow, ask, page, deny"),
        (
            '\n[policy.operations]\nvoicetel_send_massage = "deny"',
            "line 3: policy.operations.voicetel_send_massage: there is no such tool; did you mean",
        ),
        ('[policy]\ntoolsets = {"voicetel.numbrs" = "deny"}', "did you mean voicetel.numbers?"),
        ('[policy.providers]\nvoicetell = "deny"', "line 2: policy.providers.voicetell: there is no such provider"),
        ('[tighten]\npiad = "deny"', "line 2: tighten.piad: "),
        ('[[budget]]\nper = "day"\nlimit = "5"\n\n[[budget]]\nlimit = "1"', "line 5: budget[2].per: "),
        (
            '[[budget]]\nper = "day"\nlimit = "5"\nprovider = "rootee"',
            "line 4: budget[1].provider: there is no such provider; did you mean routee?",
        ),
        ('[prices.voicetel_create_e911_records]\namount = "2"', "did you mean voicetel_create_e911_record?"),
        ('[compliance]\nquiet_hours = "9pm-8am"', "line 2: compliance.quiet_hours: a span such as 21:00-08:00"),
        ('[destinations]\nallowed = ["US"]', "line 2: destinations.allowed: there is no such key"),
    ],
)
def test_rules_that_fit_nothing_stop_the_start_with_their_line(written: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(BadSettings) as refused:
        read_settings(file)
    assert told in str(refused.value)


async def _decided(sandbox: Sandbox, folder: Path, rules: Mapping[str, Any], whats: list[str]) -> dict[str, str]:
    """Return the decision on each call, on a store of their own, with a person who declines."""
    routee = sandbox_accounts(sandbox.url)["routee"]
    settings = settings_for(folder, sandbox.voicetel, routee=routee, **rules)
    _, server = server_for(settings.model_copy(update={"state_folder": folder}))
    person = Person("decline")
    async with connect(server, person=person) as client:
        return {what: await _decision(client, person, what) for what in whats}


async def _decision(client: Client, person: Person, what: str) -> str:
    tool, arguments = CALLS[what]
    asked = len(person.questions)
    result = await client.call_tool(tool, arguments)
    content: dict[str, Any] = result.structured_content or {}
    if len(person.questions) > asked:
        return "ask"
    if content.get("state") == "proposed":
        return "page"
    return "deny" if content.get("error") == "Denied" else "error" if result.is_error else "allow"
