"""What an allowance lets through, exactly, and what it never reaches over."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from guard.action import Principal
from server.services import Services
from tests import record_file
from tests.allowances.terms import ME, OTHER_SENDER, SEND, TO_NEW_YORK, options, text
from tests.connecting import connect, content_of, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.sandbox_control import Sandbox, sandboxes


@dataclass(frozen=True)
class Site:
    """A server, a client that cannot ask, and the operator."""

    client: Client
    operator: OperatorSide
    sandbox: Sandbox
    services: Services

    async def call(self, arguments: dict[str, Any], tool: str = SEND) -> dict[str, Any]:
        """Call a tool; return what the result says as data."""
        return content_of(await self.client.call_tool(tool, arguments))

    async def is_asked(self, arguments: dict[str, Any], tool: str = SEND) -> bool:
        """Call a tool; return True if it waits for approval."""
        return (await self.call(arguments, tool)).get("state") == "proposed"

    async def sent(self) -> int:
        """Return how many messages left."""
        return len(await self.sandbox.requests(method="POST", path="messages"))


@asynccontextmanager
async def site(folder: Path, **settings: Any) -> AsyncGenerator[Site]:
    async with sandboxes() as sandbox:
        chosen = settings_for(folder, sandbox.voicetel, **settings)
        services, server = server_for(chosen)
        await services.store.freeze.is_on()  # opens the store, which the operator's passcode goes into
        async with connect(server) as client:
            yield Site(client, OperatorSide(chosen.state_folder), sandbox, services)
        await services.close()


async def test_a_call_within_an_allowance_is_sent_without_a_question_and_the_record_names_it(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        assert await here.is_asked(text())
        allowance = await here.operator.allow(SEND, *options())
        sent = await here.call(text())  # the same call again: the operator has allowed it since
        assert sent["state"] == "done", sent
        assert (await here.call(text("+19175550101")))["state"] == "done"
        action = await here.operator.newest()
        assert action["decided_by"] == f"allowance {allowance}"
        rows = [row for row in await here.operator.audit_rows() if row["action_id"] == action["id"]]
        assert [row["event"] for row in rows] == ["proposed", "approved", "sending", "done"]
        assert allowance in str(rows[1]["detail"])
        [shown] = await here.operator.list_allowances()
        assert (shown["used"], shown["spent"]) == (2, "$0.02")
        await here.operator.require_whole_audit()


@pytest.mark.parametrize(
    "widened",
    [
        text("+19165550100"),
        text(media_urls=["https://pictures.example/a.png"]),
        text() | {"from_number": OTHER_SENDER},
    ],
    ids=["another recipient", "an argument that no condition names", "another sender"],
)
async def test_a_call_that_an_argument_takes_outside_is_asked_about(tmp_path: Path, widened: dict[str, Any]) -> None:
    async with site(tmp_path) as here:
        await here.operator.allow(SEND, *options())
        assert await here.is_asked(widened)
        assert await here.sent() == 0


@pytest.mark.parametrize(
    "given",
    [
        options(who="token:alice"),
        [*options(), "--account", "another account"],
        options(count="1/day"),
        options(money="0.01 USD/day"),
        options(money="1.00 EUR/day"),
        options(*TO_NEW_YORK[:2], "text = Something else."),
    ],
    ids=["another principal", "another account", "count", "money", "another currency", "text"],
)
async def test_what_is_left_over_or_meant_for_others_is_asked_about(tmp_path: Path, given: list[str]) -> None:
    async with site(tmp_path) as here:
        await here.operator.allow(SEND, *given)
        states = [(await here.call(text(f"+1917555010{place}"))).get("state") for place in range(2)]
        assert states[-1] == "proposed"
        assert await here.sent() == states.count("done")


async def test_a_revoked_or_expired_allowance_lets_nothing_through(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        allowance = await here.operator.allow(SEND, *options())
        assert not await here.is_asked(text())
        revoked = await here.operator.run("allowances", "revoke", allowance)
        assert "was revoked" in revoked.stdout
        assert await here.is_asked(text("+19175550101"))
        await here.operator.allow(SEND, *options())
        await record_file.change(
            here.operator.folder, "UPDATE allowances SET until = ?", "2026-01-01T00:00:00.000000+00:00"
        )
        assert await here.is_asked(text("+19175550102"))


async def test_an_allowance_reaches_over_nothing_but_policy(tmp_path: Path) -> None:
    """Repetition, an opt-out, a destination, text from outside, a freeze: each as without an allowance."""
    async with site(tmp_path) as here:
        await here.operator.allow(SEND, *options(TO_NEW_YORK[0], "to_number any", "text any"))
        assert not await here.is_asked(text())
        assert await here.is_asked(text()), "exactly the same call a moment later"
        assert (await here.call(text("+19005550100")))["error"] == "DestinationRefused"
        await here.operator.opt_out("+19175550101")
        assert (await here.call(text("+19175550101")))["error"] == "DestinationRefused"
        told = "Please send your bank details to the number on this card at once."
        await here.services.store.taint.remember(Principal(ME), [told], source="voicetel_list_messages")
        assert await here.is_asked(text("+19175550102", told))
        await here.operator.freeze()
        assert (await here.call(text("+19175550103")))["error"] == "Frozen"
        await here.operator.unfreeze()
        assert not await here.is_asked(text("+19175550103"))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"budget": [{"per": "day", "limit": "0.005"}]}, "OverBudget"),
        ({"policy": {"operations": {SEND: "deny"}}}, "Denied"),
        ({"destinations": {"countries": ["CA"]}}, "DestinationRefused"),
    ],
    ids=["cap", "denied", "countries"],
)
async def test_what_nobody_could_approve_stays_refused(tmp_path: Path, settings: dict[str, Any], expected: str) -> None:
    async with site(tmp_path, **settings) as here:
        await here.operator.allow(SEND, *options())
        assert (await here.call(text()))["error"] == expected


async def test_rules_of_the_operator_are_covered_and_those_that_a_session_adds_are_not(tmp_path: Path) -> None:
    async with site(tmp_path / "page", policy={"operations": {SEND: "page"}}) as here:
        await here.operator.allow(SEND, *options())
        assert not await here.is_asked(text())
    async with site(tmp_path / "tightened", tighten={"paid": "page"}) as here:
        assert await here.is_asked(text("+19175550101"))


async def test_more_numbers_at_once_than_the_bulk_limit_go_to_the_operator_and_each_number_counts(
    tmp_path: Path,
) -> None:
    order = "voicetel_order_numbers"
    async with site(tmp_path) as here:
        await here.operator.allow(order, *options("numbers starts with +1212555", money="100 USD/day", count="3/day"))
        numbers = [f"+1212555{place:04d}" for place in range(120, 131)]
        assert await here.is_asked({"numbers": numbers}, order)
        assert await here.is_asked({"numbers": [*numbers[:1], "+19175550100"]}, order), "one entry does not fit"
        assert (await here.call({"numbers": numbers[:2]}, order))["state"] == "done"
        assert await here.is_asked({"numbers": numbers[2:4]}, order), "one is left"
        assert (await here.operator.list_allowances())[0]["used"] == 2


async def test_of_fifty_parallel_calls_against_a_count_of_ten_exactly_ten_pass(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.operator.allow(SEND, *options(count="10/day"))
        states: list[str] = []

        async def call(place: int) -> None:
            states.append(str((await here.call(text(f"+1917555{place:04d}")))["state"]))

        async with anyio.create_task_group() as group:
            for place in range(100, 150):
                group.start_soon(call, place)
        assert sorted(states) == ["done"] * 10 + ["proposed"] * 40
        assert await here.sent() == 10
        [shown] = await here.operator.list_allowances()
        assert shown["used"] == 10


async def test_a_call_that_the_provider_refused_does_not_count(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.operator.allow(SEND, *options(count="1/day"))
        await here.sandbox.break_with("status", status=422, path="/messages")
        refused = await here.call(text())
        assert refused["state"] == "refused", refused
        await here.sandbox.mend()
        assert (await here.call(text("+19175550101")))["state"] == "done"
        assert await here.is_asked(text("+19175550102"))
