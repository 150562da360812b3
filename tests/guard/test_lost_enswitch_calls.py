"""Lost calls at Enswitch whose effect looks like another: a number in another form, an object that was there before."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.evidence import Evidence
from guard.action import State
from tests.guard.lost_answers import Bench, Lost, open_bench, text_of
from tools.enswitch.operations.phones import Phone, UpdatePhone

YES, NO, UNKNOWN = Evidence

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NUMBER = "12015550123"


@asynccontextmanager
async def enswitch(folder: Path) -> AsyncGenerator[Bench]:
    """Yield a server before the simulated Enswitch."""
    async with open_bench(folder, "enswitch") as bench:
        yield bench


async def done(bench: Bench, tool: str, **arguments: Any) -> None:
    """Make a call that must succeed."""
    result = await bench.call(f"enswitch_{tool}", arguments)
    assert not result.is_error, text_of(result)


async def found(bench: Bench, how: str, tool: str, **arguments: Any) -> State:
    """Return the state that a check finds after the answer was lost: `drop_before` or `drop_after` the effect."""
    action = await bench.lose(Lost(tool=f"enswitch_{tool}", arguments=arguments), how)
    return await bench.look(action)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("update_number", {"number": "12015550142", "dtype": "external", "dnumber": NUMBER}),
        ("update_number", {"number": "12015550142", "callerid": f"+{NUMBER}"}),
        ("update_number", {"number": "12015550142", "fax_dtype": "external", "fax_dnumber": NUMBER}),
        (
            "update_phone",
            {"name": "bw-rey", "aoc": False, "allowed_ua": "", "dtype": "external", "dnumber": f"+{NUMBER}"},
        ),
        ("create_queue_destination", {"queue": 801, "dtype": "forward", "dnumber": NUMBER}),
        (
            "create_address",
            {"user": "night", "domain": "b.example", "dtype": "external", "dnumber": NUMBER, "customer": 3},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
async def test_a_number_that_is_shown_in_another_form_is_recognised(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with enswitch(tmp_path) as bench:
        assert await found(bench, "drop_after", tool, **arguments) is State.DONE


@pytest.mark.parametrize(
    ("wanted", "shown", "expected"),
    [
        ({"description": "Front desk"}, {"description": "Front desk"}, YES),
        ({"description": "Front desk"}, {"description": "front  desk"}, UNKNOWN),
        ({"description": "Front desk"}, {"description": "Back office"}, NO),
        ({"description": "Front desk"}, {}, UNKNOWN),
        ({"dnumber": "bw-rey"}, {"dnumber": "bw-desk-1"}, NO),
        ({"dnumber": NUMBER}, {"dnumber": 12015550123}, YES),
        ({"dnumber": "2015550123"}, {"dnumber": NUMBER}, UNKNOWN),
        ({"dnumber": "442071838750"}, {"dnumber": "02071838750"}, UNKNOWN),
        ({"dnumber": NUMBER}, {"dnumber": "12025550123"}, NO),
        ({"call_maximum": "10"}, {"call_maximum": "10.000000"}, YES),
        ({"call_maximum": "10"}, {"call_maximum": "-1"}, NO),
        ({"call_maximum": "10"}, {"call_maximum": "unlimited"}, UNKNOWN),
        ({"cos": 1}, {"cos": "1"}, YES),
        ({"dnd": True}, {"dnd": "1"}, YES),
        ({"dnd": True}, {"dnd": 0}, NO),
        ({"dnd": True, "description": "Front desk"}, {"dnd": "1"}, UNKNOWN),
        ({"dnd": True, "description": "Front desk"}, {"dnd": "0"}, NO),
        ({"password": "x" * 12}, {"password": "x" * 12}, UNKNOWN),
    ],
)
def test_an_update_is_told_by_what_is_shown_and_by_nothing_else(
    wanted: dict[str, Any], shown: dict[str, Any], expected: Evidence
) -> None:
    update = UpdatePhone.model_validate({"name": "bw-rey", "aoc": False, "allowed_ua": "", **wanted})
    verification = update.verification(NOW)
    assert verification is not None
    assert (
        verification.check(Phone.model_validate({"name": "bw-rey", "aoc": "0", "allowed_ua": "", **shown})) is expected
    )


async def test_a_new_password_that_never_arrived_is_not_taken_for_set(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        as_it_is = {"name": "bw-rey", "aoc": False, "allowed_ua": "Yealink"}
        await done(bench, "update_phone", **as_it_is)
        lost = await found(bench, "drop_before", "update_phone", **as_it_is, generate_password=True)
        assert lost is State.UNKNOWN


async def test_a_new_password_with_a_setting_that_is_not_there_did_not_arrive(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        change = {"name": "bw-rey", "aoc": False, "allowed_ua": "", "description": "Room 2"}
        assert await found(bench, "drop_before", "update_phone", **change, generate_password=True) is State.REFUSED


# What was there before -----------------------------------------------------------------------------------------------

DENTIST: dict[str, Any] = {"username": "dr.rey", "role": 5, "customer": 3}
INTERNATIONAL: dict[str, Any] = {"plan": 3, "called_prefix": "0119"}


@pytest.mark.parametrize(
    ("tool", "older", "lost"),
    [
        ("create_plan_route", {**INTERNATIONAL, "allow": "allow"}, {**INTERNATIONAL, "allow": "forbid"}),
        (
            "create_plan_route",
            {**INTERNATIONAL, "allow": "allow", "peer1": 61},
            {**INTERNATIONAL, "allow": "allow", "peer1": -1},
        ),
        (
            "create_address",
            {"user": "night", "domain": "b.example", "dtype": "queue", "dnumber": "801", "customer": 3},
            {"user": "night", "domain": "b.example", "dtype": "external", "dnumber": NUMBER, "customer": 3},
        ),
        (
            "create_system_numbers",
            {"start": "12015559000", "number_class": 1, "ingroup": 21},
            {"start": "12015559000", "number_class": 2, "ingroup": 22},
        ),
        (
            "create_queue_destination",
            {"queue": 801, "dtype": "forward", "dnumber": NUMBER, "available": False},
            {"queue": 801, "dtype": "forward", "dnumber": NUMBER},
        ),
        (
            "create_mailbox",
            {"mailbox": "204", "customer": 3, "description": "Night"},
            {"mailbox": "204", "customer": 3, "description": "Day"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_an_older_object_with_other_settings_is_not_the_one_that_was_to_be_made(
    tool: str, older: dict[str, Any], lost: dict[str, Any], tmp_path: Path
) -> None:
    async with enswitch(tmp_path) as bench:
        await done(bench, tool, **older)
        assert await found(bench, "drop_before", tool, **lost) is State.REFUSED


@pytest.mark.parametrize(
    ("tool", "arguments", "tells"),
    [
        ("create_phone", {"name": "bw-rey"}, State.UNKNOWN),
        ("create_phone", {"name": "bw-rey", "customer": 4}, State.REFUSED),
        ("create_person", {**DENTIST, "email": "somebody@else.example"}, State.REFUSED),
        ("create_mailbox", {"mailbox": "201", "customer": 3}, State.UNKNOWN),
        ("create_plan_route", {"plan": 3, "called_prefix": "44"}, State.UNKNOWN),
        ("create_plan_route", {"plan": 3, "called_prefix": "44", "allow": "forbid"}, State.REFUSED),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_was_there_before_is_not_taken_for_made(
    tool: str, arguments: dict[str, Any], tells: State, tmp_path: Path
) -> None:
    async with enswitch(tmp_path) as bench:
        assert await found(bench, "drop_before", tool, **arguments) is tells


async def test_a_person_who_is_as_asked_may_have_another_password(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        new = {"username": "new.desk", "email": "new@bluewater.example", "role": 5, "customer": 3}
        await done(bench, "create_person", **new)
        assert await found(bench, "drop_before", "create_person", **new) is State.UNKNOWN


async def test_a_route_found_made_by_looking_is_not_said_to_be_taken_back_by_a_name_that_it_has_not(
    tmp_path: Path,
) -> None:
    async with enswitch(tmp_path) as bench:
        lost = Lost(tool="enswitch_create_plan_route", arguments={**INTERNATIONAL, "allow": "forbid"})
        action = await bench.lose(lost, "drop_after")
        assert await bench.look(action) is State.DONE
        told = text_of(await bench.call("undo_action", {"action_id": action["action"]}))
        assert "enswitch_list_plan_routes" in told


# Money given ---------------------------------------------------------------------------------------------------------

CREDIT: dict[str, Any] = {"id": 4, "amount": "25.01"}


@pytest.mark.parametrize(
    ("earlier", "lost"),
    [
        ({"description": "first"}, {"description": "second"}),
        ({"transaction": "credit"}, {"transaction": "topup"}),
        ({"amount": "25.02"}, {}),
    ],
)
async def test_credit_that_was_given_does_not_show_that_other_credit_was(
    earlier: dict[str, Any], lost: dict[str, Any], tmp_path: Path
) -> None:
    async with enswitch(tmp_path) as bench:
        await done(bench, "add_customer_balance", **{**CREDIT, **earlier})
        assert await found(bench, "drop_before", "add_customer_balance", **{**CREDIT, **lost}) is State.UNKNOWN


async def test_credit_from_before_the_call_may_be_an_earlier_one_like_it(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        await done(bench, "add_customer_balance", **CREDIT)
        await bench.pass_time(timedelta(seconds=20))
        assert await found(bench, "drop_before", "add_customer_balance", **CREDIT) is State.UNKNOWN


async def test_credit_that_is_given_long_after_is_another(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        lost = Lost(tool="enswitch_add_customer_balance", arguments={**CREDIT, "description": "Goodwill"})
        action = await bench.lose(lost, "drop_before")
        await bench.pass_time(timedelta(minutes=10))
        await done(bench, "add_customer_balance", **CREDIT, transaction="credit", description="goodwill")
        assert await bench.look(action) is State.UNKNOWN
