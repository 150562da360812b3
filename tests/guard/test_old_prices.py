"""A price that could not be read again says when it was read; one that is too old or nothing is no price."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.connecting import Person, connect, server_for, settings_for
from tests.guard.rates_proxy import proxy_rates
from tests.record_file import change, rows
from tests.sandbox_control import Sandbox, sandboxes

ORDER: dict[str, Any] = {"numbers": ["+12125550100"]}
READ = "get_account{}"


async def test_the_quote_says_when_its_price_was_read_and_the_record_that_it_was_not_read_again(
    tmp_path: Path,
) -> None:
    async with sandboxes() as sandbox:
        person = Person()
        async with _client(sandbox, tmp_path, person, age=timedelta(minutes=50)) as (client, read_at):
            ordered = await client.call_tool("voicetel_order_numbers", ORDER)
            assert not ordered.is_error
            assert f"from rates.did of the account as of {read_at:%Y-%m-%d %H:%M} UTC." in person.questions[0]
            shown = await client.call_tool("get_action", {"action_id": (ordered.structured_content or {})["action"]})
    told = "\n".join(getattr(block, "text", "") for block in shown.content)
    assert f"could not be read again after the question: $1.00 is as of {read_at:%Y-%m-%d %H:%M} UTC" in told


@pytest.mark.parametrize(("status", "requests"), [(429, 1), (500, 1), (503, 3)])
async def test_a_read_of_the_account_that_is_refused_counts_for_the_whole_call(
    status: int, requests: int, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("status", provider="voicetel", path="v2.2/account$", status=status, times=None)
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            ordered = await client.call_tool("voicetel_order_numbers", ORDER)
        assert not ordered.is_error
        assert "Price unknown: The account's rates could not be read" in person.questions[0]
        assert len(await sandbox.requests(path="v2.2/account")) == requests


async def test_rates_of_another_day_are_no_price(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        person = Person("decline")
        async with _client(sandbox, tmp_path, person, age=timedelta(days=2)) as (client, _):
            await client.call_tool("voicetel_order_numbers", ORDER)
        assert "Price unknown: The account's rates are as of" in person.questions[0]


async def test_what_a_call_took_is_counted_also_where_its_price_was_not_known(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, _client(sandbox, tmp_path, Person(), age=timedelta(days=2)) as (client, _):
        ordered = await client.call_tool("voicetel_order_numbers", ORDER)
        shown = await client.call_tool("get_action", {"action_id": (ordered.structured_content or {})["action"]})
        report = await client.call_tool("spend_report", {})
    assert "Carried out. It cost $1.00." in (shown.structured_content or {})["outcome"]
    told: dict[str, Any] = report.structured_content or {}
    assert [row["amount"] for row in told["recorded_by_this_server"]] == ["$1.00"]


@pytest.mark.parametrize("shown", [0, None], ids=["nothing", "not shown"])
async def test_a_rate_of_nothing_and_one_that_is_not_shown_are_unknown(shown: object, tmp_path: Path) -> None:
    async with sandboxes() as sandbox, proxy_rates(did=shown) as (_, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        person = Person("decline")
        async with connect(server, person=person) as client:
            await client.call_tool("voicetel_order_numbers", ORDER)
        assert "Price unknown:" in person.questions[0]
        assert "$0" not in person.questions[0]


@asynccontextmanager
async def _client(
    sandbox: Sandbox, folder: Path, person: Person, *, age: timedelta
) -> AsyncGenerator[tuple[Client, datetime]]:
    """Yield a client of a server whose read of the account is `age` old, and the time of that read.

    The provider allows no further read.
    """
    settings = settings_for(folder, sandbox.voicetel)
    _, server = server_for(settings)
    async with connect(server, person=person) as client:
        assert not (await client.call_tool("voicetel_get_account", {})).is_error
        await sandbox.break_with("status", provider="voicetel", path="v2.2/account$", status=429, times=None)
        yield client, await _age_the_answer(settings.state_folder, age)


async def _age_the_answer(folder: Path, age: timedelta) -> datetime:
    """Let the answer that is kept of the account grow older; return when it came then."""
    [kept] = await rows(folder, "SELECT at FROM cached_answers WHERE name = ?", READ)
    read_at = datetime.fromisoformat(kept["at"]) - age
    await change(
        folder, "UPDATE cached_answers SET at = ? WHERE name = ?", read_at.isoformat(timespec="microseconds"), READ
    )
    return read_at
