"""What clients make of arguments without meaning to: nulls, JSON text in place of lists, and names of their own."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolResult

from guard.action import Principal, digest_of
from tests.connecting import Person, connect, server_for, settings_for
from tests.sandbox_control import sandboxes
from tools.arguments import normalize, parse
from tools.builtin import BuiltinTool
from tools.builtin_list import all_builtin_tools
from tools.discovery.examples import ExampleAccount, example_of
from tools.registry import all_operations
from tools.schema import input_schema

OPERATIONS = tuple(all_operations().values())
ORDER = {"numbers": ["+12125550100", "+12125550101"]}


def test_null_means_left_out_for_every_optional_argument_of_every_operation() -> None:
    for operation in OPERATIONS:
        schema, example = input_schema(operation), example_of(operation)
        left_out: dict[str, Any] = {name: None for name in schema["properties"] if name not in example}
        if "cursor" in left_out:
            left_out["cursor"] = ""
        assert _parsed(operation, example | left_out) == _parsed(operation, example), operation.spec.tool_name


def test_a_list_or_an_object_may_be_json_text_in_every_operation_and_the_digest_is_of_its_value() -> None:
    tried = 0
    for operation in OPERATIONS:
        example = example_of(operation)
        as_text = {name: json.dumps(value) for name, value in example.items() if isinstance(value, list | dict)}
        assert _parsed(operation, example | as_text) == _parsed(operation, example), operation.spec.tool_name
        tried += len(as_text)
    assert tried > 25


@pytest.mark.parametrize("tool", all_builtin_tools(), ids=lambda tool: tool.name)
def test_null_and_an_empty_cursor_mean_left_out_in_every_built_in_tool(tool: BuiltinTool) -> None:
    schema = tool.input_schema
    optional = set(schema.get("properties", {})) - set(schema.get("required", []))
    given = {name: "" if name == "cursor" else None for name in optional}
    assert normalize(schema, given) == {}


@pytest.mark.parametrize(
    "numbers",
    ['["+12125550100", "+12125550101"', '{"0": "+12125550100"}', "[NaN]", '"+12125550100"', "[" * 5_000],
    ids=["broken", "an object", "no JSON", "a text", "deep"],
)
async def test_text_that_is_not_what_the_schema_wants_is_refused_as_before(numbers: str, tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path, "http://unused.test"))
    async with connect(server) as client:
        refused = await client.call_tool("voicetel_order_numbers", {"numbers": numbers})
    assert (refused.structured_content or {})["error"] == "BadArguments"


async def test_an_order_with_its_numbers_as_text_is_the_same_call(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            asked = await client.call_tool("voicetel_order_numbers", {"numbers": json.dumps(ORDER["numbers"])})
            again = await client.call_tool("voicetel_order_numbers", {**ORDER, "route": None})
            through = {"operation": "voicetel_order_numbers", "arguments": json.dumps(ORDER)}
            third = await client.call_tool("call_write_operation", through)
    assert _content(asked)["action"] == _content(again)["action"] == _content(third)["action"]


async def test_names_that_clients_add_are_ignored_by_reads_and_named_by_writes(tmp_path: Path) -> None:
    added = {"toolCallId": "call_1", "sessionId": "s"}
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, ignored_arguments=["toolCallId", "sessionId", "chatInput"])
        _, server = server_for(settings)
        person = Person()
        async with connect(server, person=person) as client:
            for read in ("voicetel_list_numbers", "list_all_numbers", "list_actions"):
                assert not (
                    await client.call_tool(read, {**added, "chatInput": "x", "cursor": "", "limit": None})
                ).is_error, read
            unlisted = await client.call_tool("voicetel_list_numbers", {"requestId": "r"})
            write = await client.call_tool("voicetel_order_numbers", {**ORDER, **added})
        assert await sandbox.writes() == []
    assert "requestId: there is no such argument" in _text(unlisted)
    assert "- toolCallId: leave out exactly this argument" in _text(write)
    assert "- sessionId: leave out exactly this argument" in _text(write)
    assert person.questions == []


def _parsed(operation: Any, arguments: dict[str, Any]) -> tuple[str, int, int]:
    """Return the digest of the call, in which a generated secret does not count, and the rows to show."""
    call, paging = parse(operation, arguments, ExampleAccount())
    return digest_of(call, account="one", principal=Principal("local:alice")), paging.limit, paging.offset


def _content(result: CallToolResult) -> dict[str, Any]:
    return result.structured_content or {}


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
