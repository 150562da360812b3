"""Rules on arguments that no JSON schema shows: a model reads each before it calls, and nobody is asked in vain."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from clients.descriptions import argument_models, field_descriptions
from clients.operation import OperationType
from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.sandbox_control import sandboxes
from tests.tools.constraints import constraints
from tools.arguments import BadArguments, parse
from tools.description import tool_description
from tools.discovery.examples import ExampleAccount, example_of
from tools.registry import all_operations
from tools.schema import input_schema, server_inputs

TIMES: Final = "_times_are_in_order"
"""The rule of every range of time, which the sentences of its two bounds tell."""

SAID: Final[Mapping[str, str]] = {
    "_utc": "",  # every aware time is taken
    "_required_visible": "",  # nobody means to send nothing
    "_required_within_segments": "",  # 255 segments are over 17,000 characters
    "_audio": r"base64, at most 50 MB",
    "_audio_file": r"wav, mp3",
    "_each_once": r"each once",
    "as_when": r"`now`|the time with its zone",
    "require_when": r"`now`.*the time with its zone",
    "require_web_host": r"[Aa]ddress|https|file|page|Picture|URL|WAV",
    "_inbox_or_host": r"\(inbox\|https",
    "_empty_or_host": r"[Aa]ddress",
    "require_host": r"[Dd]omain",
    "require_source_list": r"[Aa]ddresses",
    "_is_callee": r"E\.164|SIP",
    "_is_cursor": r"next_cursor",
    "_is_sender": r"up to 11 characters|[Nn]umber|Sender|Caller id|sender",
    "require_full_sender": r"[Nn]umber",
    "_harmless": r"Caller ID|Source",
    "require_harmless_caller": r"Caller ID",
    "_full": r"[Nn]umber",
    "_is_spoken": r"\[a-z\]\{2\}-\[A-Z\]",  # the error has the list, which would be long in each schema
    "_block": r"voicetel_list_acl_entries",
    "_public_block": r"Public IPv4 blocks; only /8, /16, /24 or /32",
    "_public_host": r"Public IPv4 address or host name",
    "_host_or_route": r"Public IPv4 address or host name.*or the name of a system route",
}
"""What an argument's sentence or schema says, by the function that decides about it."""

GO_WITHOUT_SAYING: Final = {
    "min_length 1", "ge 0", "ge 1", "ge -1", "ge -2", "gt 0", "le 500", "max_digits 15", "decimal_places 6",
    r"pattern ^[0-9]{1,9}$",
    r"pattern ^[0-9*#]+$",
    r"pattern ^[^@\s]+@[^@\s]+\.[^@\s.]+$",
    r"pattern ^\+1[2-9][0-9]{2}[2-9][0-9]{6}$",
    r"pattern ^\+[1-9][0-9]{6,14}$",
    r"pattern ^[A-Za-z0-9+/]+={0,2}$",
    r"pattern ^[0-9]+(/\+?[0-9*#]*/(fax|voice|voice_fax))?$",
}  # fmt: skip
"""Bounds that are checked and not listed, since each word of hundreds of fields costs a model's attention: text is not
empty, ids count from 1, amounts, cursors, telephone numbers, mail addresses, base64, the names that a list shows."""

SHOWN_AS: Final[Mapping[str, str]] = {
    "pattern": "'pattern'",
    "min_length": "'minLength'|'minItems'|'minProperties'",
    "max_length": "'maxLength'|'maxItems'",
    "ge": "'minimum'",
    "gt": "'exclusiveMinimum'",
    "le": "'maximum'",
    "expected": "'enum'|`now`",
    "max_digits": "'pattern'",
    "decimal_places": "'pattern'",
}
"""What a JSON schema calls a bound."""

NO_NETWORKS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("voicetel_remove_acl_entries", {"blocks": [".29/9"]}, "write it as 203.0.113.0/24 or 203.0.113.10/32"),
    ("voicetel_remove_acl_entries", {"blocks": ["198.51.100.29/24"]}, "the block is 198.51.100.0/24"),
    ("voicetel_remove_acl_entries", {"blocks": ["198.51.100.29"]}, "write it as 198.51.100.29/32"),
    ("voicetel_remove_acl_entries", {"blocks": ["198.51.100.0/33"]}, "no IPv4 block"),
    ("voicetel_add_acl_entries", {"blocks": ["203.0.113.7/24"]}, "the block is 203.0.113.0/24"),
    ("voicetel_add_acl_entries", {"blocks": ["203.0.113.7"]}, "write it as 203.0.113.7/32"),
    ("voicetel_create_gateway", {"address": "203.0.113"}, "no public host"),
    ("voicetel_set_sms_routing", {"type": "sip", "resource": "203.0.113.5/9"}, "an IP address"),
    ("voicetel_set_sms_routing", {"type": "sip", "resource": "10.0.0.5"}, "a public IP address"),
    ("voicetel_set_sms_routing", {"type": "webhook", "resource": "https://.29/9"}, "names a host"),
    ("voicetel_send_message", {"media_urls": ["https://.29/9"]}, "names no host"),
    ("routee_rent_number", {"dialplan_url": "https://.29/9"}, "names no host"),
    ("routee_send_sms", {"callback_url": "https://x..example/"}, "names no host"),
    ("routee_play_in_call", {"file_url": "https://1.2.3/x.wav"}, "names no host"),
    ("routee_transfer_call", {"to": "frontdesk@.29"}, "a SIP address"),
    ("convirza_create_webhook", {"url": "https://.29/9"}, "names no host"),
    ("enswitch_create_person", {"source": "203.0.113.5, 198.51.100.29/24"}, "the network is 198.51.100.0/24"),
    ("enswitch_create_person", {"source": ".29/9"}, "write it as 203.0.113.10 or 203.0.113.0/24"),
    ("enswitch_create_address", {"domain": "sip..example.com"}, "no host"),
    ("enswitch_update_queue", {"events_url": "https://.29/9"}, "names no host"),
]
"""Networks, addresses and hosts that are none, and what the error says instead."""

OLDER: Final = datetime(2026, 5, 1, tzinfo=UTC)


def test_every_rule_on_several_arguments_is_a_sentence_of_the_description() -> None:
    unsaid: set[str] = set()
    for operation in all_operations().values():
        for model in argument_models(operation):
            for name, validator in model.__pydantic_decorators__.model_validators.items():
                if validator.info.mode == "after" and name != TIMES:
                    rule = " ".join((validator.func.__doc__ or "").split())
                    if not rule.endswith(".") or rule not in tool_description(operation):
                        unsaid.add(f"{model.__name__}.{name}")
    assert unsaid == set()


def test_every_rule_on_one_argument_is_in_its_sentence_or_schema() -> None:
    unsaid: dict[str, str] = {}
    for operation in all_operations().values():
        secret = {*server_inputs(operation)}
        for one in constraints(operation):
            if one.kind == "function-after" and one.argument and one.argument not in secret and "." not in one.rule:
                words = _words_on(operation, one.argument)
                if one.rule not in SAID or not re.search(SAID[one.rule], words):
                    unsaid[f"{operation.spec.tool_name}.{one.argument}"] = f"{one.rule}: {words}"
    assert unsaid == {}


def test_a_bound_that_the_schema_does_not_show_goes_without_saying() -> None:
    hidden: dict[str, str] = {}
    for operation in all_operations().values():
        for one in constraints(operation):
            if one.kind != "function-after" and one.argument.partition(".")[0] not in server_inputs(operation):
                words = _words_on(operation, one.argument)
                bounds = [one.rule] if one.kind == "literal" else re.split(r", (?=[a-z_]+ -?[0-9])", one.rule)
                for bound in bounds:
                    is_shown = re.search(SHOWN_AS[bound.partition(" ")[0]], words)
                    if not is_shown and bound not in GO_WITHOUT_SAYING:
                        hidden[f"{operation.spec.tool_name}.{one.argument}"] = bound
    assert hidden == {}


def test_the_older_bound_of_every_range_is_the_first_and_the_order_of_the_answer_is_said() -> None:
    ranges = {name: one for name, one in all_operations().items() if {"since", "until"} <= one.model_fields.keys()}
    assert {name.partition("_")[0] for name in ranges} == {"voicetel", "routee", "convirza", "enswitch"}
    for name, operation in ranges.items():
        bounds = field_descriptions(operation)
        assert (bounds["since"].split()[0], bounds["until"].split()[0]) == ("Older", "Newer"), name
        said = f"{tool_description(operation)} {input_schema(operation)}"
        one_row = operation.spec.rows is None and "cursor" not in operation.model_fields
        assert one_row or re.search(r"newest first|'s order", said), name
        swapped = {"since": OLDER + timedelta(hours=1), "until": OLDER}
        with pytest.raises(BadArguments, match="since: the older bound is later than until"):
            parse(operation, {**example_of(operation), **swapped}, ExampleAccount())


def test_a_charge_that_ends_before_it_begins_is_refused() -> None:
    operation = all_operations()["enswitch_create_charge"]
    with pytest.raises(BadArguments, match="start: the older bound is later than end"):
        parse(
            operation,
            {**example_of(operation), "start": OLDER + timedelta(hours=1), "end": OLDER},
            ExampleAccount(),
        )


async def test_call_records_say_their_range_from_the_older_to_the_newer_bound(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            found: dict[str, Any] = content_of(await client.call_tool("voicetel_list_call_records", {}))
    assert datetime.fromisoformat(found["since"]) < datetime.fromisoformat(found["until"])
    assert not {"start", "end"} & found.keys()
    started = [int(row["key"][1]) for row in found["cdr"]]
    assert started == sorted(started, reverse=True)


@pytest.mark.parametrize(("tool", "arguments", "correction"), NO_NETWORKS)
def test_what_is_no_network_and_no_host_is_refused_with_the_right_form(
    tool: str, arguments: dict[str, Any], correction: str
) -> None:
    operation = all_operations()[tool]
    with pytest.raises(BadArguments, match=re.escape(correction)):
        parse(operation, {**example_of(operation), **arguments}, ExampleAccount())


async def test_nobody_is_asked_about_what_is_no_network(tmp_path: Path) -> None:
    person = Person()
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=person) as client:
            for tool, arguments, correction in NO_NETWORKS:
                if tool.endswith("acl_entries"):
                    refused = await client.call_tool(tool, arguments)
                    assert refused.is_error
                    assert correction in getattr(refused.content[0], "text", "")
        assert await sandbox.requests() == []
    assert person.questions == []


async def test_the_question_names_a_block_that_is_not_on_the_list(tmp_path: Path) -> None:
    person = Person("decline")
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, policy={"destructive": "ask"}))
        async with connect(server, person=person) as client:
            await client.call_tool("voicetel_remove_acl_entries", {"blocks": ["192.0.2.0/24"]})
    assert "192.0.2.0/24 is not on the list." in person.questions[0]


def _words_on(operation: OperationType, argument: str) -> str:
    """Return what a model reads of one argument; of a nested one, with those around it."""
    rule: Any = input_schema(operation)["properties"].get(argument.partition(".")[0], {})
    return str(rule)
