"""Caps on spending: each bites in its own window, place and currency; a window ends with the day or month in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from server.mcp.server import build_server
from server.services import Services
from tests.clocks import StoppedClock
from tests.connecting import Person, connect, settings_for
from tests.operator_side import OperatorSide
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.operating import ringfence

ALLOWED = {"policy": {"paid": "allow"}}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEARER = "x" * 200
"""Two segments, two cents. A text of one segment costs one."""

ONE, TWO = "Your table is ready.", DEARER


@pytest.mark.parametrize(
    ("caps", "texts", "refused"),
    [
        ([{"per": "action", "limit": "0.01"}], [TWO], "$0.01 per action overall leaves $0.01"),
        ([{"per": "day", "limit": "0.02"}], [ONE, TWO], "$0.02 per day overall leaves $0.01"),
        ([{"per": "month", "limit": "0.02"}], [ONE, ONE, ONE], "$0.02 per month overall leaves $0.00"),
        ([{"per": "day", "limit": "0.01", "provider": "voicetel"}], [ONE, ONE], "per day at voicetel leaves $0.00"),
        (
            [{"per": "day", "limit": "1", "provider": "voicetel"}, {"per": "day", "limit": "0.01"}],
            [ONE, ONE],
            "per day overall",
        ),
        (
            [{"per": "month", "limit": "0.01"}, {"per": "day", "limit": "5"}, {"per": "action", "limit": "5"}],
            [ONE, ONE],
            "per month overall",
        ),
        ([{"per": "day", "limit": "0"}], [ONE], "$0.00 per day overall leaves $0.00"),
    ],
    ids=[
        "action",
        "day",
        "month",
        "at the provider",
        "overall beside the provider",
        "the tightest of several",
        "nothing",
    ],
)
async def test_a_cap_bites_when_it_has_no_room_left(
    caps: Sequence[dict[str, str]], texts: Sequence[str], refused: str, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox, _server(sandbox, tmp_path, caps) as client:
        *paid, last = [await _send(client, place, words) for place, words in enumerate(texts)]
        assert [told["state"] for told in paid] == ["done"] * len(paid)
        assert last["error"] == "OverBudget"
        assert refused in last["message"]
        assert len(await sandbox.charges()) == len(paid)


@pytest.mark.parametrize(
    "cap",
    [
        {"per": "day", "limit": "0.01", "provider": "routee"},
        {"per": "action", "limit": "0.001", "currency": "EUR"},
        {"per": "month", "limit": "0", "currency": "GBP", "provider": "voicetel"},
    ],
    ids=["another provider", "another currency", "another currency at the provider"],
)
async def test_a_cap_for_something_else_does_not_bite(cap: dict[str, str], tmp_path: Path) -> None:
    ample = {"per": "month", "limit": "100"}
    async with sandboxes() as sandbox, _server(sandbox, tmp_path, [cap, ample]) as client:
        told = [await _send(client, place, ONE) for place in range(3)]
    assert [answer["state"] for answer in told] == ["done"] * 3


async def test_where_caps_count_money_a_price_in_a_currency_of_none_is_refused(tmp_path: Path) -> None:
    """An argument may name the currency; it does not choose which caps count."""
    in_euros = {"per": "day", "limit": "100", "currency": "EUR"}
    async with sandboxes() as sandbox, _server(sandbox, tmp_path, [in_euros]) as client:
        told = await _send(client, 0, ONE)
        assert told["error"] == "Denied"
        assert "no budget cap is in USD; nothing was sent" in told["message"]
        assert await sandbox.charges() == []


@pytest.mark.parametrize(
    ("per", "moments", "outcomes"),
    [
        ("day", ["2026-11-21T00:00:00", "2026-11-21T23:59:59", "2026-11-22T00:00:00"], ["done", "OverBudget", "done"]),
        ("day", ["2026-11-30T23:59:59", "2026-12-01T00:00:00"], ["done", "done"]),
        (
            "month",
            ["2026-11-01T00:00:00", "2026-11-30T23:59:59", "2026-12-01T00:00:00"],
            ["done", "OverBudget", "done"],
        ),
        ("month", ["2026-12-31T23:59:59", "2027-01-01T00:00:00"], ["done", "done"]),
        (
            "month",
            ["2028-02-28T12:00:00", "2028-02-29T12:00:00", "2028-03-01T00:00:00"],
            ["done", "OverBudget", "done"],
        ),
        ("action", ["2026-11-21T12:00:00", "2026-11-21T12:00:01"], ["done", "done"]),
        ("day", ["2026-11-22T00:00:00", "2026-11-21T12:00:00"], ["done", "OverBudget"]),
        ("month", ["2026-12-01T00:00:00", "2026-10-30T12:00:00"], ["done", "OverBudget"]),
    ],
    ids=[
        "day",
        "day at the end of a month",
        "month",
        "year",
        "leap year",
        "action",
        "day, the clock set back",
        "month, the clock set back",
    ],
)
async def test_a_window_ends_with_the_day_or_the_month_in_utc(
    per: str, moments: Sequence[str], outcomes: Sequence[str], tmp_path: Path
) -> None:
    clock = StoppedClock(NOON)
    cap = [{"per": per, "limit": "0.01"}]
    told: list[str] = []
    async with sandboxes() as sandbox, _server(sandbox, tmp_path, cap, clock) as client:
        for place, moment in enumerate(moments):
            clock.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            answer = await _send(client, place, ONE)
            told.append(answer.get("error") or answer["state"])
    assert told == list(outcomes)


async def test_midnight_is_that_of_utc_wherever_the_server_runs(tmp_path: Path) -> None:
    athens = timezone(timedelta(hours=2))
    clock = StoppedClock(datetime(2026, 11, 21, 23, 30, tzinfo=athens))
    async with sandboxes() as sandbox, _server(sandbox, tmp_path, [{"per": "day", "limit": "0.01"}], clock) as client:
        assert (await _send(client, 0, ONE))["state"] == "done"
        clock.moment = datetime(2026, 11, 22, 0, 30, tzinfo=athens)  # 22:30 of the same day in UTC
        assert (await _send(client, 1, ONE))["error"] == "OverBudget"
        clock.moment = datetime(2026, 11, 22, 2, 0, tzinfo=athens)
        assert (await _send(client, 2, ONE))["state"] == "done"


async def test_a_call_that_waited_for_its_yes_is_held_against_the_caps_of_the_moment_it_is_sent(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """Two calls fit one by one when they are asked for, and not together when they are sent."""
    asked = {"policy": {"paid": "ask"}}
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, budget=[{"per": "day", "limit": "0.01"}], **asked)
        services = Services(settings, clock=StoppedClock(datetime.now(UTC)))
        async with connect(build_server(services)) as client:
            for place in range(2):
                await operator.approve((await _send(client, place, ONE))["action"])
            assert (await _send(client, 0, ONE))["state"] == "done"
            assert (await _send(client, 1, ONE))["error"] == "OverBudget"
        assert len(await sandbox.charges()) == 1


def _server(
    sandbox: Sandbox, folder: Path, caps: Sequence[dict[str, str]], clock: StoppedClock | None = None
) -> Client:
    """Return a client of a server with these caps, where no call needs approval."""
    settings = settings_for(folder, sandbox.voicetel, budget=caps, **ALLOWED)
    return connect(build_server(Services(settings, clock=clock or StoppedClock(NOON))))


async def _send(client: Client, place: int, words: str) -> dict[str, Any]:
    text = {"from_number": "+12015550142", "to_number": f"+1212555014{place}", "text": words}
    result = await client.call_tool("voicetel_send_message", text)
    return result.structured_content or {}


async def test_the_question_says_what_is_left_of_each_cap_that_applies(tmp_path: Path) -> None:
    caps = [
        {"per": "day", "limit": "0.05"},
        {"per": "month", "limit": "1", "provider": "voicetel"},
        {"per": "month", "limit": "7", "currency": "EUR"},
        {"per": "action", "limit": "0.50"},
    ]
    person = Person()
    async with sandboxes() as sandbox:
        services = Services(settings_for(tmp_path, sandbox.voicetel, budget=caps))
        async with connect(build_server(services), person=person) as client:
            await _send(client, 0, ONE)
            await _send(client, 1, TWO)
    left = [[line for line in question.splitlines() if line.startswith("Budget")] for question in person.questions]
    assert left == [
        [
            "Budget of $0.05 per day overall: $0.05 left now, $0.04 after this.",
            "Budget of $1.00 per month at voicetel: $1.00 left now, $0.99 after this.",
        ],
        [
            "Budget of $0.05 per day overall: $0.04 left now, $0.02 after this.",
            "Budget of $1.00 per month at voicetel: $0.99 left now, $0.97 after this.",
        ],
    ]


async def test_the_operator_reads_what_is_left_while_the_action_waits(tmp_path: Path) -> None:
    line = "Budget of $0.05 per day overall: $0.05 left now, $0.04 after this."
    folder = tmp_path / "state"
    async with sandboxes() as sandbox:
        services = Services(settings_for(folder, sandbox.voicetel, budget=[{"per": "day", "limit": "0.05"}]))
        async with connect(build_server(services)) as client:
            waits = await _send(client, 0, ONE)
            shown = await ringfence(folder, "approvals", "show", waits["action"])
            await services.guard.decline(waits["action"], by="anna")
            after = await ringfence(folder, "actions", "show", waits["action"])
    assert line in waits["question"]
    assert line in shown
    assert "Budget of" not in after
