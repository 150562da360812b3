"""A price that could not be read again says when it was read; one that is too old or nothing is no price."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clients.cache import CachedAnswer
from guard.money import Money
from guard.rules.budget import Cap
from server.services import Services
from tests.connecting import Person, connect, server_for, settings_for
from tests.sandboxed import Sandbox, sandboxes

ORDER: dict[str, Any] = {"numbers": ["+12125550100"]}
READ = "get_account{}"


async def test_the_quote_says_when_its_price_was_read_and_the_record_that_it_was_not_read_again(
    tmp_path: Path,
) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        await _use_up_the_reads(services, sandbox)
        read_at = await _grow_old(services, lambda at: at - timedelta(minutes=50))
        person = Person()
        async with connect(server, person=person) as client:
            ordered = await client.call_tool("voicetel_order_numbers", ORDER)
            assert not ordered.is_error
            assert f"from rates.did of the account as of {read_at:%Y-%m-%d %H:%M} UTC." in person.questions[0]
            shown = await client.call_tool("get_action", {"action_id": (ordered.structured_content or {})["action"]})
    told = "\n".join(getattr(block, "text", "") for block in shown.content)
    assert f"could not be read again after the question: $1.00 is as of {read_at:%Y-%m-%d %H:%M} UTC" in told


async def test_rates_of_another_day_are_no_price(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        await _use_up_the_reads(services, sandbox)
        await _grow_old(services, lambda at: at - timedelta(days=2))
        person = Person("decline")
        async with connect(server, person=person) as client:
            await client.call_tool("voicetel_order_numbers", ORDER)
        assert "Price unknown: The account's rates are as of" in person.questions[0]


async def test_what_a_call_took_is_counted_also_where_its_price_was_not_known(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        await _use_up_the_reads(services, sandbox)
        await _grow_old(services, lambda at: at - timedelta(days=2))
        async with connect(server, person=Person()) as client:
            ordered = await client.call_tool("voicetel_order_numbers", ORDER)
            shown = await client.call_tool("get_action", {"action_id": (ordered.structured_content or {})["action"]})
            [day] = await services.store.journal.spent([Cap("day", Money(Decimal(5)))], datetime.now(UTC))
    assert "Carried out. It cost $1.00." in (shown.structured_content or {})["outcome"]
    assert day.amount == 1


@pytest.mark.parametrize("shown", [0, None], ids=["nothing", "not shown"])
async def test_a_rate_of_nothing_and_one_that_is_not_shown_are_unknown(shown: object, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        await services.clients["voicetel"].exchange(_account())
        await _rewrite(services, lambda content: content["data"]["rates"].update(did=shown))
        person = Person("decline")
        async with connect(server, person=person) as client:
            await client.call_tool("voicetel_order_numbers", ORDER)
        assert "Price unknown:" in person.questions[0]
        assert "$0" not in person.questions[0]


def _account() -> Any:
    from tools.voicetel.operations.account import GetAccount

    return GetAccount()


async def _use_up_the_reads(services: Services, sandbox: Sandbox) -> None:
    await services.clients["voicetel"].exchange(_account())
    await sandbox.break_with("status", provider="voicetel", path="v2.2/account$", status=429, times=None)


async def _grow_old(services: Services, older: Callable[[datetime], datetime]) -> datetime:
    account = services.clients["voicetel"].account
    kept = await services.store.cache.get(account, READ)
    assert kept
    await services.store.cache.put(account, READ, CachedAnswer(kept.raw, older(kept.at)))
    return older(kept.at)


async def _rewrite(services: Services, change: Callable[[Any], object]) -> None:
    account = services.clients["voicetel"].account
    kept = await services.store.cache.get(account, READ)
    assert kept
    content = json.loads(kept.raw)
    change(content)
    await services.store.cache.put(account, READ, CachedAnswer(json.dumps(content), kept.at))
