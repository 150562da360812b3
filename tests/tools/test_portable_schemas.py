"""Every client can pass every schema on to its model, and what it gives in the schema's form means the same.

The converters themselves are tried by `.ci/clients`, where they can be installed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from clients.operation import OperationType
from guard.action import Principal, digest_of
from server.mcp.listing.registry import ToolRegistry
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.clients.enswitch_accounts import installations
from tests.tools.enswitch_session import open_session
from tools.arguments import BadArguments, normalize, parse
from tools.discovery.describe import describe
from tools.discovery.examples import ExampleAccount, example_of
from tools.registry import all_operations
from tools.schema import argument_schema, portable, portable_value

SCALARS: Final = {"string", "integer", "number", "boolean"}
SAID_OF_ALL: Final = {"type", "description", "default"}
SAID_OF: Final[Mapping[str, set[str]]] = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "string": {"enum", "pattern", "format", "minLength", "maxLength"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
}
"""What the converters of LangChain (Gemini), google-adk, openai-agents (strict) and semantic-kernel pass on or can do
without: `const`, alternatives, lists of types, open objects and enums of numbers they drop, change or refuse."""


def test_no_schema_of_any_tool_says_what_a_converter_drops_or_refuses(tmp_path: Path) -> None:
    chosen = settings_class().model_validate({"state_folder": tmp_path, "toolsets": ["all"]})
    listed = ToolRegistry(for_sandbox(chosen, "http://unused.test")).listed
    assert len(listed) > len(all_operations())
    faults = [f"{name}{at}: {why}" for name, one in listed.items() for at, why in _faults(one.tool.input_schema)]
    assert faults == []


def _faults(schema: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in SAID_OF:
        yield at, f"type {kind}"
        return
    if more := schema.keys() - SAID_OF_ALL - SAID_OF[kind]:
        yield at, f"{', '.join(sorted(more))}"
    if not all(isinstance(choice, str) for choice in schema.get("enum", [])):
        yield at, "an enum that is not of text"
    if "format" in schema and schema["format"] != "date-time":
        yield at, f"format {schema['format']}"
    if kind == "object":
        if "properties" not in schema or schema.get("additionalProperties") is not False:
            yield at, "an object with free names"
        if at and not schema.get("properties"):
            yield at, "an object without names"
        for name, inner in schema.get("properties", {}).items():
            yield from _faults(inner, f"{at}.{name}")
    if kind == "array":
        yield from _faults(schema.get("items", {}), f"{at}[]")


@pytest.mark.parametrize(
    ("tool", "arguments", "as_text"),
    [
        ("enswitch_list_customers", {"deleted": -1}, {"deleted": "-1"}),
        ("enswitch_list_system_phones", {"registered": 1}, {"registered": "1"}),
        ("enswitch_set_role_access", {"access": 2}, {"access": "2"}),
        ("enswitch_create_tax", {"liable": 0}, {"liable": "0"}),
        ("enswitch_update_tax", {"liable": 2}, {"liable": "2"}),
        (
            "voicetel_order_numbers",
            {"numbers": ["+12125550100"], "routes": {"+12125550100": 1001}},
            {"numbers": ["+12125550100"], "routes": [{"name": "+12125550100", "value": 1001}]},
        ),
        (
            "routee_send_campaign",
            {"fallback_values": {"name": "guest", "city": "Athens"}},
            {"fallback_values": [{"name": "name", "value": "guest"}, {"name": "city", "value": "Athens"}]},
        ),
        (
            "routee_create_contact",
            {"labels": {"city": "Athens", "visits": 4}},
            {"labels": [{"name": "city", "text": "Athens"}, {"name": "visits", "number": 4}]},
        ),
        (
            "routee_create_contact",
            {"labels": {"city": "Athens"}},
            {"labels": '[{"name": "city", "text": "Athens", "number": null}]'},
        ),
        (
            "routee_send_verification",
            {"arguments": {"name": "Ana"}},
            {"arguments": '[{"name": "name", "value": "Ana"}]'},
        ),
        (
            "convirza_update_broadcast",
            {"extra_fields": {"note": {"deep": [1]}}},
            {"extra_fields": '{"note": {"deep": [1]}}'},
        ),
    ],
)
def test_the_form_of_the_schema_and_the_plain_form_are_one_call(
    tool: str, arguments: dict[str, Any], as_text: dict[str, Any]
) -> None:
    operation = all_operations()[tool]
    example = example_of(operation)
    assert _digest(operation, example | as_text) == _digest(operation, example | arguments)


def test_every_example_means_the_same_in_the_form_of_its_schema() -> None:
    for name, operation in all_operations().items():
        example = example_of(operation)
        shown = portable_value(argument_schema(operation), example)
        assert _digest(operation, shown) == _digest(operation, example), name


@pytest.mark.parametrize(
    ("tool", "wrong", "said"),
    [
        ("enswitch_set_role_access", {"access": "3"}, "access: Input should be 0, 1 or 2"),
        (
            "voicetel_order_numbers",
            {"routes": [{"name": "+12125550100", "value": 1}, {"name": "+12125550100", "value": 2}]},
            "routes: a list of `name` and `value`, each name once",
        ),
        ("routee_create_contact", {"labels": [{"name": "city"}]}, "each label once"),
        ("convirza_update_broadcast", {"extra_fields": "[1]"}, "extra_fields: a JSON object, as text"),
    ],
)
def test_what_fits_neither_form_is_refused_in_the_words_of_the_schema(
    tool: str, wrong: dict[str, Any], said: str
) -> None:
    operation = all_operations()[tool]
    with pytest.raises(BadArguments) as refused:
        parse(operation, {**example_of(operation), **wrong}, ExampleAccount())
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("declared", "shown", "given", "meant"),
    [
        ({"enum": [1, 2], "type": "integer", "default": 2}, {"enum": ["1", "2"], "default": "2"}, "1", 1),
        ({"const": True}, {"enum": ["true"]}, "true", True),
        ({"enum": ["a", 1]}, {"enum": ["a", "1"]}, "1", 1),
        ({"type": "string", "format": "date"}, {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, "2026-01-02", "2026-01-02"),
        ({"anyOf": [{"const": "now"}, {"type": "string", "format": "date-time"}]}, {}, "now", "now"),
    ],
)
def test_a_declaration_of_another_package_is_shown_in_the_same_form(
    declared: dict[str, Any], shown: dict[str, Any], given: object, meant: object
) -> None:
    assert portable(declared) == {"type": "string"} | shown
    assert normalize({"properties": {"level": declared}}, {"level": given}) == {"level": meant}


async def test_text_of_an_enum_reaches_the_provider_as_the_number_it_stands_for(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as session:
        as_number = await session.do("enswitch_list_customers", deleted=1)
        as_text = await session.do("enswitch_list_customers", deleted="1")
        shown = await session.do("enswitch_list_customers", deleted="-1")
    assert as_text == as_number != shown


def test_describe_shows_the_example_in_the_form_of_the_schema() -> None:
    described = describe(all_operations()["enswitch_list_system_phones"], settings_class()().session_policy())
    assert described["input_schema"]["properties"]["registered"]["enum"] == ["-1", "0", "1"]
    assert all(isinstance(value, str) for name, value in described["example"].items() if name == "registered")


def _digest(operation: OperationType, arguments: dict[str, Any]) -> str:
    call, _ = parse(operation, arguments, ExampleAccount())
    return digest_of(call, account="one", principal=Principal("local:alice"))
