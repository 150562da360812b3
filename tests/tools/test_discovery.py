"""Operations that are not listed are found, described and called, with the guard of the direct tool."""

import re
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp.types import CallToolResult

from benchmarks.tool_choice.scoring import GATES, Half, halves, score, whole_index
from guard.rules.policy import Policy
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Era, Person, connect, content_of, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.sandbox_control import sandboxes
from tools.discovery.describe import describe
from tools.registry import all_operations

ORDER: dict[str, Any] = {"numbers": ["+12125550100"]}
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


def _content(result: CallToolResult) -> dict[str, Any]:
    return content_of(result)


def _text(result: CallToolResult) -> str:
    return getattr(result.content[0], "text", "")


@pytest.mark.parametrize("half", halves(), ids=lambda half: half.name)
def test_what_people_ask_for_is_found(half: Half) -> None:
    found = score(half)
    for top, gate in GATES.items():
        assert found.recall(top) >= gate, found.missed


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("What did telephony cost last month?", "spend_report"),
        ("Give up the numbers nobody uses.", "voicetel_release_number"),
        ("Send the front desk's calls to my cell.", "voicetel_set_forward"),
        ("Get us two numbers in San Francisco.", "voicetel_order_numbers"),
    ],
)
def test_what_the_readme_says_people_ask_is_found(sentence: str, wanted: str) -> None:
    assert wanted in [entry.name for entry in whole_index().search(sentence, 5)]


async def test_a_search_shows_what_an_operation_does_whether_it_needs_approval_and_how_to_call_it(
    tmp_path: Path,
) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        found = _content(await client.call_tool("search_operations", {"query": "purchse a numbr", "limit": 3}))
    first = found["operations"][0]
    assert first["name"] == "voicetel_order_numbers"
    assert first["effect"] == ["paid"]
    assert first["approval"] == "needs approval"
    assert first["call_with"] == "call_write_operation"


async def test_a_search_can_be_kept_to_reads_to_changes_and_to_what_costs(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        by_kind = {
            kind: _content(await client.call_tool("search_operations", {"query": "e911 record", "kind": kind}))
            for kind in ("read", "change", "paid")
        }
    names = {kind: {row["name"] for row in found["operations"]} for kind, found in by_kind.items()}
    assert "voicetel_get_e911_record" in names["read"]
    assert "voicetel_delete_e911_record" in names["change"]
    assert "voicetel_create_e911_record" in names["paid"]
    assert not names["read"] & names["change"]


async def test_only_providers_that_are_set_up_are_searched_described_and_called(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        found = _content(await client.call_tool("search_operations", {"query": "viber message", "limit": 20}))
        asked = await client.call_tool("search_operations", {"query": "viber message", "provider": "routee"})
        described = await client.call_tool("describe_operation", {"operation": "routee_send_viber"})
        called = await client.call_tool("call_write_operation", {"operation": "routee_send_viber", "arguments": {}})
    assert not [row["name"] for row in found["operations"] if row["name"].startswith("routee_")]
    assert [_content(result)["error"] for result in (asked, described, called)] == ["NotConfigured"] * 3


async def test_a_misspelled_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        for tool in ("describe_operation", "call_read_operation", "call_write_operation"):
            result = await client.call_tool(tool, {"operation": "voicetel_get_e911_recrod"})
            assert result.is_error
            assert "Did you mean voicetel_get_e911_record" in _text(result)


QUERIES = (
    *("delivery reports received", "wait for a reply", "follow a campaign until it ends", "receipts and replies"),
    *("where does a number ring", "undo what was done", "send a text", "balance", "released number"),
)
SURFACES: tuple[dict[str, Any], ...] = (
    {},
    {"toolsets": ["discovery"]},
    {"toolsets": ["routee", "discovery"]},
    {"toolsets": ["overview"], "tools": ["search_operations", "call_read_operation"]},
    {"toolsets": ["events"], "tools": ["search_operations"]},
)


@pytest.mark.parametrize("surface", SURFACES)
async def test_what_is_found_can_be_called_as_the_answer_says(surface: dict[str, Any], tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(for_sandbox(settings_class()(state_folder=tmp_path, **surface), sandbox.url))
        async with connect(server, person=Person("decline")) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            found: dict[str, str] = {}
            for query in QUERIES:
                answer = await client.call_tool("search_operations", {"query": query, "limit": 20})
                found |= {row["name"]: row["call_with"] for row in _content(answer).get("operations", [])}
            for name, by in found.items():
                assert by in listed or (by == "the tool itself" and name in listed), (name, by)
            for name in found.keys() & OWN_TOOLS:
                if found[name] != "the tool itself":
                    result = await client.call_tool(found[name], {"operation": name, "arguments": {"nothing": 1}})
                    assert f"The arguments of {name} do not fit" in _text(result)
    assert (found.keys() & OWN_TOOLS) or surface == {"toolsets": ["events"], "tools": ["search_operations"]}


OWN_TOOLS = {"list_events", "wait_for_events", "routee_watch_campaign", "undo_action", "find_number"}


async def test_a_tool_that_is_not_listed_is_described_and_called_by_its_name(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(for_sandbox(settings_class()(state_folder=tmp_path), sandbox.url))
        async with connect(server) as client:
            described = _content(await client.call_tool("describe_operation", {"operation": "list_events"}))
            called = await client.call_tool("call_read_operation", {"operation": "list_events"})
            undo = {"operation": "undo_action", "arguments": {"action_id": "act_abcdefgh"}}
            as_read = await client.call_tool("call_read_operation", undo)
            as_write = await client.call_tool("call_write_operation", undo)
            misspelled = await client.call_tool("call_read_operation", {"operation": "list_event"})
            with pytest.raises(MCPError, match="call it with call_read_operation, operation=wait_for_events"):
                await client.call_tool("wait_for_events", {})
    assert described["call_with"] == "call_read_operation"
    assert described["input_schema"]["properties"]["kind"]
    assert _content(called)["events"] == []
    assert "Use call_write_operation" in _text(as_read)
    assert "There is no action act_abcdefgh of yours" in _text(as_write)
    assert "Did you mean list_events" in _text(misspelled)


async def test_a_tool_that_the_operator_excluded_is_neither_found_nor_called(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_class()(state_folder=tmp_path, exclude_tools=["list_events"])
        _, server = server_for(for_sandbox(settings, sandbox.url))
        async with connect(server) as client:
            found = await client.call_tool("search_operations", {"query": "delivery reports received", "limit": 20})
            called = await client.call_tool("call_read_operation", {"operation": "list_events"})
    assert "list_events" not in _text(found)
    assert _content(called)["error"] == "OutOfReach"


@pytest.mark.parametrize("verb", ["list", "get", "search", "find", "show", "lst", "retrieve"])
@pytest.mark.parametrize("noun", ["number", "numbers", "inventory", "forward", "api_key", "message"])
async def test_nothing_but_a_read_is_offered_for_a_name_that_reads_like_one(
    verb: str, noun: str, tmp_path: Path
) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        answer = _text(await client.call_tool("describe_operation", {"operation": f"voicetel_{verb}_{noun}x"}))
    offered = set(re.findall(r"voicetel_[a-z0-9_]+", answer.partition("nothing was sent.")[2]))
    assert all(all_operations()[name].spec.effect.is_plain_read for name in offered), answer


async def test_what_is_excluded_is_not_offered_either(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path, exclude_tools=["voicetel_get_e911_record"]))
    async with connect(server) as client:
        result = await client.call_tool("describe_operation", {"operation": "voicetel_get_e911_recrod"})
    assert "voicetel_get_e911_record" not in _text(result)


async def test_a_provider_is_known_by_its_name_in_any_case(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        found = _content(await client.call_tool("search_operations", {"query": "e911", "provider": "VoiceTel"}))
    assert found["operations"]


async def test_a_description_has_what_a_call_needs(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        described = _content(await client.call_tool("describe_operation", {"operation": "voicetel_order_numbers"}))
    assert described["input_schema"]["required"] == ["numbers"]
    assert described["approval"] == "needs approval"
    assert described["price"].startswith("the account's did rate by number")
    assert described["basis"] == dict.fromkeys(("method", "path", "request", "answer"), "documented")
    assert described["example"] == {"numbers": ["+12015550123", "+12015550124"]}


@ERAS
async def test_a_read_is_called_by_name(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era) as client:
            call = {"operation": "voicetel_list_numbers", "arguments": {"limit": 2}}
            through = await client.call_tool("call_read_operation", call)
            direct = await client.call_tool("voicetel_list_numbers", {"limit": 2})
    assert _content(through) == _content(direct)


async def test_what_is_no_plain_read_is_not_called_as_one(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            for name, arguments in (
                ("voicetel_order_numbers", ORDER),
                ("voicetel_look_up_cnam", {"number": "+12125550142"}),
                ("voicetel_release_number", {"number": "+12015550142"}),
            ):
                result = await client.call_tool("call_read_operation", {"operation": name, "arguments": arguments})
                assert _content(result)["error"] == "NotARead"
        assert await sandbox.requests() == []


@ERAS
async def test_a_write_is_quoted_asked_and_carried_out_once_as_by_its_own_tool(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, era=era, person=person) as client:
            call = {"operation": "voicetel_order_numbers", "arguments": ORDER}
            result = await client.call_tool("call_write_operation", call)
        assert not result.is_error, result
        assert person.questions[0].startswith("Order +1 212 555 0100, $1.00 a month?\nAt VoiceTel, account ")
        assert len(await sandbox.charges()) == 1


async def test_an_approval_counts_for_the_same_call_by_either_way(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            waiting = await client.call_tool("voicetel_order_numbers", ORDER)
            call = {"operation": "voicetel_order_numbers", "arguments": ORDER}
            again = await client.call_tool("call_write_operation", call)
            assert _content(waiting)["action"] == _content(again)["action"]
            await operator.approve(_content(waiting)["action"])
            assert not (await client.call_tool("call_write_operation", call)).is_error
        assert len(await sandbox.charges()) == 1


async def test_guard_inputs_are_no_arguments_here_either(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            for smuggled in ({"approve": True}, {"action_id": "act_00000000"}, {"confirm": "yes"}):
                inside = {"operation": "voicetel_order_numbers", "arguments": ORDER | smuggled}
                outside = {"operation": "voicetel_order_numbers", "arguments": ORDER, **smuggled}
                for arguments in (inside, outside):
                    result = await client.call_tool("call_write_operation", arguments)
                    assert _content(result)["error"] == "BadArguments"
        assert await sandbox.writes() == []


async def test_what_the_operator_excludes_is_neither_found_nor_called(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, exclude_tools=["voicetel_order_numbers"])
        _, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            found = _content(await client.call_tool("search_operations", {"query": "order numbers", "limit": 20}))
            call = {"operation": "voicetel_order_numbers", "arguments": ORDER}
            result = await client.call_tool("call_write_operation", call)
        assert "voicetel_order_numbers" not in [row["name"] for row in found["operations"]]
        assert _content(result)["error"] == "OutOfReach"
        assert await sandbox.writes() == []


async def test_a_session_that_may_only_read_has_no_tool_to_write_and_finds_only_reads(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path, toolsets=["default"], read_only=True))
    async with connect(server) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        found = _content(await client.call_tool("search_operations", {"query": "order a number", "limit": 20}))
        billed = {"operation": "voicetel_look_up_cnam", "arguments": {"number": "+12125550199"}}
        described = _content(await client.call_tool("describe_operation", {"operation": billed["operation"]}))
        refused = _content(await client.call_tool("call_read_operation", billed))
        document = (await client.read_resource(f"ringfence://operations/{billed['operation']}")).contents[0]
    assert described["approval"] == "cannot be called: this session may only read"
    assert "call_with" not in described
    assert "It cannot be called: this session may only read." in refused["message"]
    assert "call_write_operation" not in f"{described} {refused} {document}"
    assert "call_read_operation" in names
    assert "call_write_operation" not in names
    assert {tuple(row.get("effect", ["read"])) for row in found["operations"]} == {("read",)}


@pytest.mark.parametrize("name", sorted(all_operations()))
def test_every_operation_can_be_described(name: str) -> None:
    described = describe(all_operations()[name], Policy())
    assert described["price"]
    assert described["approval"]
