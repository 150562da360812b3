"""Short codes and special services that cost or alarm are no destination of any operation, at any provider."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest

from clients.operation import Operation
from clients.phone_numbers import valid_form
from guard.errors import DestinationRefused
from guard.rules.destinations import Destinations
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Person, connect, server_for
from tests.sandbox_control import sandboxes
from tools.arguments import BadArguments, parse
from tools.discovery.examples import ExampleAccount, example_of
from tools.registry import all_operations

WORLD: Final = frozenset({"US", "CA", "GB", "DE", "GR"})

SPECIAL: Final = {
    "411": "US",
    "988": "US",
    "211": "US",
    "9911": "US",
    "91911": "US",
    "8911": "US",
    "118500": "GB",
    "118118": "GB",
    "9999": "GB",
    "+12125551212": "US",
    "+15005550142": "US",
    "+15335550142": "US",
    "+447012345678": "GB",
    "+447624123456": "GB",
    "+447640123456": "GB",
    "+19995551234": "US",
    "+12015550": "US",
    "+1201555014299": "US",
}
"""Directory assistance, crisis lines, emergency numbers behind an outside line, personal numbers, pagers and mobile
numbers of an island among them, an area code that does not exist, impossible lengths; each with the country at home,
whose short numbers count."""


def test_no_operation_goes_to_one() -> None:
    tried: set[str] = set()
    for tool, arguments, numbers in _destinations_of_examples():
        for special, home in SPECIAL.items():
            rules = Destinations(countries=WORLD, home=home)
            with pytest.raises((BadArguments, DestinationRefused)):
                _require_allowed(tool, _with(arguments, numbers, special), rules)
            tried.add(tool)
    assert {tool.partition("_")[0] for tool in tried} == {"convirza", "enswitch", "routee", "voicetel"}
    assert len(tried) > 20


PLAIN: Final = {"+12125550142", "+447700900123", "1001", "2001", "+306912345678"}


def test_an_ordinary_number_and_an_extension_pass_the_same_rules() -> None:
    Destinations(countries=WORLD).check(sorted(PLAIN))


async def test_nobody_is_asked_about_one_and_nothing_is_sent(tmp_path: Path) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("voicetel_set_forward", {"number": "+12015550142", "destination": "+15005550142"}),
        ("voicetel_send_message", {"from_number": "+12015550142", "to_number": "+12125551212", "text": "Hi"}),
        ("routee_send_sms", {"sender": "Harbor", "to": "+447012345678", "text": "Hi"}),
        *(
            ("enswitch_make_call", {"snumber": "1001", "stype": "phone", "ctype": "external", "cnumber": short})
            for short in ("411", "988", "9911", "91911")
        ),
        ("enswitch_send_text", {"snumber": "12015550142", "cnumber": "19995551234", "message": "Hi"}),
        ("convirza_update_provisioned_route", {"route_id": 12301, "config": {"ring_to": "+15335550142"}}),
    ]
    person = Person()
    async with sandboxes() as sandbox:
        values = {"state_folder": tmp_path, "toolsets": ["all"], "destinations": {"countries": sorted(WORLD)}}
        settings = settings_class().model_validate(values)
        _, server = server_for(for_sandbox(settings, sandbox.url))
        async with connect(server, person=person) as client:
            for tool, arguments in calls:
                refused: dict[str, Any] = (await client.call_tool(tool, arguments)).structured_content or {}
                assert refused.get("error") in {"DestinationRefused", "BadDestination", "BadArguments"}, (tool, refused)
        assert await sandbox.writes() == []
    assert person.questions == []


def _destinations_of_examples() -> Iterator[tuple[str, dict[str, Any], set[str]]]:
    """Yield each operation whose example goes somewhere, with its arguments and the numbers in them."""
    for tool, operation in all_operations().items():
        arguments = example_of(operation)
        numbers = set(_call(tool, arguments).destinations())
        if numbers:
            yield tool, arguments, numbers


def _call(tool: str, arguments: dict[str, Any]) -> Operation[Any]:
    call: Operation[Any] = parse(all_operations()[tool], arguments, ExampleAccount())[0]
    return call


def _require_allowed(tool: str, arguments: dict[str, Any], rules: Destinations) -> None:
    rules.check(_call(tool, arguments).destinations())


def _with(arguments: Any, numbers: set[str], special: str) -> Any:
    """Return arguments with another number in place of each destination."""
    if isinstance(arguments, str):
        forms = {arguments, valid_form(arguments), valid_form(f"+{arguments}")}
        return special if forms & numbers else arguments
    if isinstance(arguments, list):
        return [_with(each, numbers, special) for each in cast("list[object]", arguments)]
    if isinstance(arguments, dict):
        return {name: _with(each, numbers, special) for name, each in cast("dict[str, object]", arguments).items()}
    return arguments
