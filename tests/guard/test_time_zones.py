"""Quiet hours and local times: every zone that a number's area can have counts, and missing zone data is said."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from guard.action import arguments_of
from guard.errors import DestinationRefused
from guard.rules.compliance import Compliance, QuietHours
from guard.rules.departure import departure_notes
from guard.rules.time_zones import find_missing_zones, zones_of
from sandbox.routee.seed import VIBER_SENDER
from tests.connecting import Person
from tests.tools.routee_session import open_session
from tools.convirza.operations.broadcasts import CreateBroadcast

NIGHT = Compliance(quiet_hours=QuietHours(time(21), time(8)))


@pytest.mark.parametrize(
    ("number", "at", "zone"),
    [
        ("+13642001234", "2026-11-21T13:30:00", "America/Chicago"),  # an overlay of 270: 08:30 in New York
        ("+12702001234", "2026-11-21T13:30:00", "America/Chicago"),  # an exchange that the data does not list
        ("+12702361234", "2026-11-22T02:30:00", "America/New_York"),  # one that it lists in Chicago, where it is 20:30
        ("+16892001234", "2026-11-21T13:30:00", "America/Chicago"),  # an overlay in Florida
        ("+17372001234", "2026-11-21T14:30:00", "America/Denver"),  # an overlay in Texas: 08:30 in Chicago
        ("+13652001234", "2026-11-21T13:30:00", "America/Winnipeg"),  # an overlay in Ontario
        ("+61412345678", "2026-11-20T22:30:00", "Australia/Adelaide"),  # a mobile, which may be anywhere in Australia
        ("+34628123456", "2026-11-21T07:30:00", "Atlantic/Canary"),  # the same in Spain, where it is 08:30 in Madrid
    ],
)
def test_it_is_quiet_where_one_zone_of_the_area_is(number: str, at: str, zone: str) -> None:
    assert zone in zones_of(number)
    with pytest.raises(DestinationRefused, match=r"may be; nothing is sent from 21:00 to 08:00 there"):
        NIGHT.check_hour([number], datetime.fromisoformat(at).replace(tzinfo=UTC))


@pytest.mark.parametrize("number", ["+13642001234", "+12702001234", "+17372001234", "+12125550142", "+306971234567"])
def test_it_is_not_quiet_where_it_is_day_in_every_zone_of_the_area(number: str) -> None:
    hour = 9 if number.startswith("+30") else 18
    NIGHT.check_hour([number], datetime(2026, 11, 21, hour, tzinfo=UTC))


def test_area_codes_without_exchanges_have_the_zones_of_their_state() -> None:
    """Derived again from the places of phonenumbers, which are read as text: importing them takes half a minute."""
    place: dict[str, str] = {}
    exchanges = defaultdict[str, int](int)
    for file in (Path(phonenumbers.__file__).parent / "geodata").glob("data*.py"):
        for code, exchange, name in re.findall(
            r"^ *'1(\d{3})(\d*)':\{.*?'en': u?'([^']*)'", file.read_text(encoding="utf-8"), re.MULTILINE
        ):
            if exchange:
                exchanges[code] += 1
            else:
                place[code] = name
    listed = {prefix for prefix in TIMEZONE_DATA if prefix.startswith("1")}
    of_code = defaultdict[str, set[str]](set)
    for prefix in listed:
        of_code[prefix[1:4]] |= set(TIMEZONE_DATA[prefix])
    of_place = defaultdict[str, set[str]](set)
    for code, name in place.items():
        of_place[name] |= of_code[code]
    whole = {code for code in place if not any(p.startswith(f"1{code}") and len(p) > 4 for p in listed)}
    for code in {code for code in whole if exchanges[code] < 10 and of_code[code]}:
        assert of_place[place[code]] <= set(zones_of(_valid_number(code))), (code, place[code])


def _valid_number(code: str) -> str:
    return f"+1{code}2001234"


def test_this_system_has_every_zone_in_which_a_telephone_number_lies() -> None:
    assert find_missing_zones() == ()


def test_missing_zone_data_is_a_reason_to_refuse_and_check_and_doctor_say_it(tmp_path: Path) -> None:
    """A system without zone data, where the package tzdata is empty."""
    (tmp_path / "empty" / "tzdata").mkdir(parents=True)
    (tmp_path / "empty" / "tzdata" / "__init__.py").write_text("", encoding="utf-8")
    script = (
        "from datetime import UTC, datetime, time\n"
        "from guard.errors import DestinationRefused\n"
        "from guard.rules.compliance import Compliance, QuietHours\n"
        "from server.cli.health_checks import check_zone_data\n"
        "from server.settings.lint import lint\n"
        "from server.settings.model import settings_class\n"
        "try:\n"
        "    Compliance(quiet_hours=QuietHours(time(21), time(8))).check_hour(['+12125550142'], datetime.now(UTC))\n"
        "except DestinationRefused as refused:\n"
        "    print(refused)\n"
        "print(check_zone_data(has_quiet_hours=True))\n"
        "print(check_zone_data(has_quiet_hours=False).state)\n"
        "print(*lint(settings_class().model_validate({'compliance': {'quiet_hours': '21:00-08:00'}})))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "empty"), os.getcwd()]), "PYTHONTZPATH": ""},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "no time zone data for America/New_York; install the Python package tzdata" in done.stdout
    assert "nothing was sent" in done.stdout
    assert "state='fail'" in done.stdout
    assert "paid calls to numbers there are refused, because quiet hours are set" in done.stdout
    assert "\nwarn\n" in done.stdout
    assert "compliance.quiet_hours: This system has no time zone data" in done.stdout


@pytest.mark.parametrize(
    ("written", "numbers", "said", "wrong"),
    [
        ("2099-12-24T14:00:00+02:00", ["+306971234567"], "Thursday 24 December 2099, 14:00 in Europe/Athens", False),
        ("2099-07-24T14:00:00+02:00", ["+306971234567"], "Friday 24 July 2099, 15:00 in Europe/Athens", True),
        ("2026-11-01T09:00:00-04:00", ["+12125550142"], "Sunday 1 November 2026, 08:00 in America/New_York", True),
        ("2026-10-31T09:00:00-04:00", ["+12125550142"], "Saturday 31 October 2026, 09:00 in America/New_York", False),
        ("2026-11-01T01:00:00Z", ["+12125550142"], "Saturday 31 October 2026, 21:00 in America/New_York", False),
        ("2026-11-20T09:00:00-05:00", ["+12125550142", "+13105550142"], "06:00 in America/Los_Angeles (1 rec", False),
        ("2026-11-20T09:00:00-05:00", ["+13642001234"], "08:00 in America/Chicago or Friday 20 November", False),
    ],
)
def test_a_scheduled_time_is_said_as_the_recipient_has_it(
    written: str, numbers: list[str], said: str, wrong: bool
) -> None:
    notes = departure_notes([datetime.fromisoformat(written)], numbers)
    assert said in notes[0]
    assert any("CHECK THE TIME" in note for note in notes) is wrong


PLAN: dict[str, Any] = {
    "sender": "Bluewater",
    "to": ["+306970000555"],
    "text": "We open at nine.",
    "when": "2099-07-24T09:00:00+02:00",
}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("send_campaign", PLAN),
        ("send_viber_campaign", {name: PLAN[name] for name in ("to", "text", "when")} | {"sender_id": VIBER_SENDER}),
        ("send_voice_campaign", {**PLAN, "sender": "+306970000001", "language": "en-US"}),
    ],
)
async def test_the_question_about_a_campaign_has_the_local_time_and_the_wrong_offset(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.attempt(tool, **arguments)
        assert "Goes out Friday 24 July 2099, 10:00 in Europe/Athens." in session.question
        assert "it was written as 09:00 with UTC+02:00" in session.question
        assert "is UTC+03:00" in session.question
        assert "2099-07-24T07:00:00Z" in session.question


def test_a_broadcast_keeps_the_offset_it_was_written_with_and_goes_out_in_utc() -> None:
    words: dict[str, Any] = {"name": "Hours", "message": "We open at nine.", "from_number": "2015550201"}
    call = CreateBroadcast(**words, recipients=["+12125550142"], when="2099-07-24T09:00:00-05:00")
    assert call.to_wire()["scheduled_at"] == "2099-07-24T14:00:00Z"
    assert arguments_of(call)["when"] == "2099-07-24T14:00:00Z"
    said, wrong = departure_notes(call.scheduled_at(), call.destinations())
    assert said == "Goes out Friday 24 July 2099, 10:00 in America/New_York."
    assert "written as 09:00 with UTC-05:00, but where the recipients are the offset on that day is UTC-04:00" in wrong
