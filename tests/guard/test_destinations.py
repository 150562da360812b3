"""Where calls and messages may go, and when: refused whatever anybody says to it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from mcp import Client
from typer.testing import CliRunner, Result

from guard.errors import DestinationRefused
from guard.rules.destinations import Destinations
from server.cli.app import command_line
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.clocks import StoppedClock
from tests.connecting import Person, connect, server_for, settings_for
from tests.sandbox_control import sandboxes

OURS = "+12015550142"
ALLOWED: dict[str, Any] = {"policy": {"paid": "allow", "reroutes": "allow"}}
EVERYWHERE = Destinations(countries=frozenset({"US", "CA", "GB", "DE", "FR", "AU", "GR"}))
TOOLSETS = ["voicetel.messaging", "voicetel.routing", "routee.messaging", "enswitch.calls"]
PASSCODE = "harbor lights 26"

REFUSED: Mapping[str, str] = {
    "911": "emergency",
    "112": "emergency",
    "+1911": "emergency",
    "+44999": "emergency",
    "+44112": "emergency",
    "+49112": "emergency",
    "+61000": "emergency",
    "+19005550142": "premium-rate",
    "+449098790123": "premium-rate",
    "+33899123456": "premium-rate",
    "+611900123456": "premium-rate",
    "+12129765014": "976",
    "+491805123456": "shared-cost",
    "+448431234567": "premium-rate",
    "+881612345678": "satellite",
    "+870773111111": "satellite",
    "+88216123456": "satellite",
    "+883510001234567": "satellite",
    "+97912345678": "satellite",
    "+8781012345678": "satellite",
    "+18095550142": "in DO",
    "+18765550142": "in JM",
    "+12425550142": "in BS",
    "+5352345678": "in CU",
    "+1201555014": "too short",
    "+120155501421234": "too long",
    "+": "not a telephone number",
    "5551212": "E.164",
    "00449098790123": "E.164",
    "sip:900@evil.example": "E.164",
    "*67": "E.164",
    "+112125550142": "not written in E.164, as +12125550142 is",  # rules are compared letter by letter
    "+44 (0)20 7946 0958": "not written in E.164, as +442079460958 is",
    "+\uff112125550142": "not written in E.164, as +12125550142 is",
    "+12125550142;ext=900": "not written in E.164",
    "100\uff11": "E.164",
}
"""By the part of the reason that names the rule."""

REACHED = ("+12125550142", "+14165550142", "+18005550142", "+442079460958", "+306912345678", "+19195550142", "1001")


@pytest.mark.parametrize("number", REFUSED)
def test_it_is_refused_whatever_countries_are_allowed(number: str) -> None:
    with pytest.raises(DestinationRefused, match="nothing was sent") as refused:
        EVERYWHERE.check(["+12125550142", number])
    assert REFUSED[number] in str(refused.value)
    assert str(refused.value).startswith(number)


@pytest.mark.parametrize("number", REACHED)
def test_an_ordinary_number_is_reached(number: str) -> None:
    EVERYWHERE.check([number])


def test_countries_and_further_prefixes_are_the_operators() -> None:
    home = Destinations()
    for number in ("+442079460958", "+306912345678"):
        with pytest.raises(DestinationRefused, match=r"destinations\.countries allows CA, US"):
            home.check([number])
    with pytest.raises(DestinationRefused, match="refused_prefixes"):
        Destinations(refused_prefixes=("+1212976", "+1646")).check(["+16465550142"])


async def test_message_call_and_forward_are_all_held_to_it(tmp_path: Path) -> None:
    """Whatever kind of call goes there, at whichever provider; a person who says yes to all makes no difference."""
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("voicetel_send_message", {"from_number": OURS, "to_number": "+19005550142", "text": "Hello"}),
        ("voicetel_set_forward", {"number": OURS, "destination": "+12129765014"}),
        ("routee_send_sms", {"sender": "Bluewater", "to": "+881612345678", "text": "Hello"}),
        ("enswitch_make_call", {"snumber": "12015550142", "stype": "external", "ctype": "external", "cnumber": "911"}),
    )
    person = Person()
    async with sandboxes() as sandbox:
        settings = settings_class().model_validate({"state_folder": tmp_path, "toolsets": TOOLSETS})
        _, server = server_for(for_sandbox(settings, sandbox.url))
        async with connect(server, person=person) as client:
            for tool, arguments in calls:
                content: dict[str, Any] = (await client.call_tool(tool, arguments)).structured_content or {}
                assert content.get("error") == "DestinationRefused", (tool, content)
        assert person.questions == []
        assert await sandbox.charges() == []


QUIET: tuple[tuple[str, str, bool], ...] = (
    ("+12125550142", "2026-11-21T01:59:59", False),  # 20:59 in New York
    ("+12125550142", "2026-11-21T02:00:00", True),
    ("+12125550142", "2026-11-21T12:59:59", True),
    ("+12125550142", "2026-11-21T13:00:00", False),  # 08:00
    ("+18085550142", "2026-11-21T12:00:00", True),  # 02:00 in Honolulu
    ("+18085550142", "2026-11-21T20:00:00", False),
    ("+12125550142", "2026-03-07T12:30:00", True),  # 07:30, the day before the clocks go forward
    ("+12125550142", "2026-03-08T12:30:00", False),  # 08:30
    ("+12125550142", "2026-10-31T12:30:00", False),  # 08:30, the day before they go back
    ("+12125550142", "2026-11-01T12:30:00", True),  # 07:30
    ("+16025550142", "2026-07-01T14:30:00", True),  # 07:30 in Phoenix, which keeps standard time
    ("+18005550142", "2026-11-21T12:30:00", True),  # it may ring anywhere in the country
)
"""Number, time in UTC, and whether 21:00-08:00 covers it where the number is."""


async def test_quiet_hours_are_those_where_the_number_is_also_when_clocks_change(tmp_path: Path) -> None:
    clock = StoppedClock(datetime(2026, 1, 1, tzinfo=UTC))
    rules = {"compliance": {"quiet_hours": "21:00-08:00", "duplicate_minutes": 0}}
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, **ALLOWED, **rules)
        async with connect(build_server(Services(settings, clock=clock))) as client:
            for number, at, is_quiet in sorted(QUIET, key=itemgetter(1)):
                clock.moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
                told = await _send(client, number)
                assert (told.get("error") == "DestinationRefused") is is_quiet, (number, at, told)
        assert len(await sandbox.charges()) == len([row for row in QUIET if not row[2]])


async def test_where_nobody_knows_what_time_it_is_it_is_quiet(tmp_path: Path) -> None:
    text = {"sender": "Bluewater", "to": "+447700900123", "text": "Hello"}
    async with sandboxes() as sandbox:
        rules = {"compliance": {"quiet_hours": "21:00-08:00"}, "toolsets": TOOLSETS, "state_folder": tmp_path}
        _, server = server_for(for_sandbox(settings_class().model_validate(rules), sandbox.url))
        async with connect(server, person=Person()) as client:
            told: dict[str, Any] = (await client.call_tool("routee_send_sms", text)).structured_content or {}
        assert "is unknown, and quiet hours are set; nothing was sent" in told["message"]
        assert await sandbox.charges() == []


async def test_the_same_call_is_asked_about_within_the_window_and_not_after_it(tmp_path: Path) -> None:
    clock = StoppedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    window = {"compliance": {"duplicate_minutes": 30}}
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, **ALLOWED, **window)
        async with connect(build_server(Services(settings, clock=clock))) as client:
            assert (await _send(client, "+12125550142"))["state"] == "done"
            clock.moment = datetime(2026, 11, 21, 12, 29, 59, tzinfo=UTC)
            assert (await _send(client, "+12125550142"))["state"] == "proposed"
            assert (await _send(client, "+12125550143"))["state"] == "done"
            clock.moment = datetime(2026, 11, 21, 13, tzinfo=UTC)
            assert (await _send(client, "+12125550142"))["state"] == "done"


@pytest.mark.parametrize(("count", "state"), [(3, "done"), (4, "proposed")], ids=["as many as the limit", "one more"])
async def test_more_at_once_than_the_limit_is_for_the_operator(count: int, state: str, tmp_path: Path) -> None:
    numbers = [f"+1212555010{place}" for place in range(count)]
    person = Person()
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, compliance={"bulk_limit": 3}, **ALLOWED)
        _, server = server_for(settings)
        async with connect(server, person=person) as client:
            result = await client.call_tool("voicetel_order_numbers", {"numbers": numbers})
        assert (result.structured_content or {})["state"] == state
    assert person.questions == []


async def test_the_operator_keeps_the_opt_outs_on_the_command_line(tmp_path: Path) -> None:
    """Adding is free, taking off needs the passcode, and a running server goes by the list at once."""
    file = tmp_path / "optouts.txt"
    file.write_text("(212) 555-0143\n\n+1 212 555 0144\n212-555-0142\n", encoding="utf-8")
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, **ALLOWED))
        async with connect(server) as client:
            assert (await _send(client, "+12125550142"))["state"] == "done"
            assert (await _ringfence("optouts", "add", "212 555 0142")).stdout == "1 added, 0 already listed.\n"
            assert (await _ringfence("optouts", "import", str(file))).stdout == "2 added, 1 already listed.\n"
            listed = (await _ringfence("optouts", "list")).stdout.splitlines()
            assert [line.split()[0] for line in listed] == ["+12125550142", "+12125550143", "+12125550144"]
            for number in ("+12125550142", "+12125550143", "+12125550144"):
                assert "opted out" in (await _send(client, number))["message"]
            await _ringfence("approvals", "passcode", typed=f"{PASSCODE}\n")
            assert (await _ringfence("optouts", "remove", "+12125550143", typed="a guess\n")).exit_code == 2
            assert (await _send(client, "+12125550143"))["error"] == "DestinationRefused"
            assert (await _ringfence("optouts", "remove", "+12125550143", typed=f"{PASSCODE}\n")).exit_code == 0
            assert (await _send(client, "+12125550143"))["state"] == "done"
            assert (await _ringfence("optouts", "add", "no number")).exit_code == 2
        assert len(await sandbox.charges()) == 2


async def _send(client: Client, to: str) -> dict[str, Any]:
    text = {"from_number": OURS, "to_number": to, "text": "Your table is ready."}
    return (await client.call_tool("voicetel_send_message", text)).structured_content or {}


async def _ringfence(*arguments: str, typed: str = "") -> Result:
    run = CliRunner()
    return await anyio.to_thread.run_sync(lambda: run.invoke(command_line(list(arguments)), list(arguments), typed))
