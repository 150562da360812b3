"""Lost calls at Enswitch whose effect looks like another: a number in another form, an object that was there before."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guard.action import State
from tests.guard.losing import Bench, Lost, benches
from tools.enswitch.phones import Phone, UpdatePhone

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NUMBER = "12015550123"


@asynccontextmanager
async def enswitch(folder: Path) -> AsyncGenerator[Bench]:
    """A server before the simulated Enswitch."""
    async with benches(folder, "enswitch") as bench:
        yield bench


async def found(bench: Bench, how: str, tool: str, **arguments: Any) -> State:
    """What looking finds after the answer was lost: `drop_before` or `drop_after` the effect."""
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
    ("wanted", "shown", "tells"),
    [
        ({"description": "Front desk"}, {"description": "Front desk"}, True),
        ({"description": "Front desk"}, {"description": "front  desk"}, None),
        ({"description": "Front desk"}, {"description": "Back office"}, False),
        ({"description": "Front desk"}, {}, None),
        ({"dnumber": "bw-rey"}, {"dnumber": "bw-desk-1"}, False),
        ({"dnumber": NUMBER}, {"dnumber": 12015550123}, True),
        ({"dnumber": "2015550123"}, {"dnumber": NUMBER}, None),
        ({"dnumber": "442071838750"}, {"dnumber": "02071838750"}, None),
        ({"dnumber": NUMBER}, {"dnumber": "12025550123"}, False),
        ({"call_maximum": "10"}, {"call_maximum": "10.000000"}, True),
        ({"call_maximum": "10"}, {"call_maximum": "-1"}, False),
        ({"call_maximum": "10"}, {"call_maximum": "unlimited"}, None),
        ({"cos": 1}, {"cos": "1"}, True),
        ({"dnd": True}, {"dnd": "1"}, True),
        ({"dnd": True}, {"dnd": 0}, False),
        ({"dnd": True, "description": "Front desk"}, {"dnd": "1"}, None),
        ({"dnd": True, "description": "Front desk"}, {"dnd": "0"}, False),
        ({"password": "x" * 12}, {"password": "x" * 12}, None),
    ],
)
def test_an_update_is_told_by_what_is_shown_and_by_nothing_else(
    wanted: dict[str, Any], shown: dict[str, Any], *, tells: bool | None
) -> None:
    update = UpdatePhone.model_validate({"name": "bw-rey", "aoc": False, "allowed_ua": "", **wanted})
    proof = update.settled(NOW)
    assert proof is not None
    assert proof.shows(Phone.model_validate({"name": "bw-rey", "aoc": "0", "allowed_ua": "", **shown})) is tells


async def test_a_new_password_that_never_arrived_is_not_taken_for_set(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        as_it_is = {"name": "bw-rey", "aoc": False, "allowed_ua": "Yealink"}
        assert not (await bench.call("enswitch_update_phone", as_it_is)).is_error
        lost = await found(bench, "drop_before", "update_phone", **as_it_is, generate_password=True)
        assert lost is State.UNKNOWN


async def test_a_new_password_with_a_setting_that_is_not_there_did_not_arrive(tmp_path: Path) -> None:
    async with enswitch(tmp_path) as bench:
        change = {"name": "bw-rey", "aoc": False, "allowed_ua": "", "description": "Room 2"}
        assert await found(bench, "drop_before", "update_phone", **change, generate_password=True) is State.REFUSED
