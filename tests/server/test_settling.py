"""An action is settled by its receipts once all of them are there, at the same cost for each however many there are."""

import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from server.store.store import Store, open_store
from tests.connecting import Person
from tests.server.webhook_sender import TO, answer_of, opened, spent_at
from tests.statements import heard_statements
from tools.routee.webhooks import read_callback
from tools.webhooks import Callback, Kind

CAMPAIGN = "c-1"


def _report(message: int, part: int, state: str, price: str | None = "0.03") -> Callback:
    body: dict[str, Any] = {
        "messageId": f"m-{message}",
        "smsId": f"m-{message}-{part}",
        "campaignTrackingId": CAMPAIGN,
        "part": part,
        "parts": 2,
        "to": TO,
        "status": {"name": state, "updatedDate": "2026-11-21T10:00:00Z"},
        "price": price,
    }
    return read_callback("sms", body)


def _progress(state: str, total: int) -> Callback:
    kind: Kind = "campaign"
    return read_callback(kind, {"trackingId": CAMPAIGN, "campaignStatus": state, "totalRecipients": total})


EVERYTHING = [
    _progress("Running", 2),
    *(_report(message, part, state) for message in (1, 2) for part in (1, 2) for state in ("Sent", "Delivered")),
    _report(1, 1, "Failed", "9"),
    _progress("Finished", 2),
]
"""Two messages of two parts each. That one failed after it was delivered comes too late, or too early."""


@asynccontextmanager
async def _records(folder: Path) -> AsyncGenerator[Store]:
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        yield record
    finally:
        await record.database.close()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(len(EVERYTHING))), tracked_after=st.integers(0, 5))
async def test_the_price_is_known_with_the_last_callback_whatever_the_order(
    order: list[int], tracked_after: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with _records(tmp_path_factory.mktemp("store")) as record:
        prices: list[Decimal | None] = []
        for count, place in enumerate(order):
            if count == tracked_after:
                await record.events.track("routee", [CAMPAIGN], "act")
            for _ in range(2):
                await record.events.take_in(EVERYTHING[place])
            found = await record.events.settled_price(EVERYTHING[place])
            prices.append(found[1] if found else None)
        failed_first = order.index(9) < order.index(2)
    known = [price for price in prices if price is not None]
    assert known
    assert set(known) == {Decimal("9.09") if failed_first else Decimal("0.12")}
    final = {2, 4, 6, 8, 10}
    needed = final - {2} | {9} if failed_first else final
    assert prices.index(known[0]) == max(order.index(place) for place in needed)


@pytest.mark.parametrize(
    "missing",
    [_report(2, 2, "Sent"), _report(2, 2, "Delivered", None), _progress("Running", 2), _progress("Finished", 3)],
    ids=["a part under way", "a price", "the end", "a message"],
)
async def test_while_something_is_open_nothing_is_settled(missing: Callback, tmp_path: Path) -> None:
    is_end = missing.kind == "campaign"
    others = [_report(1, 1, "Delivered"), _report(1, 2, "Delivered"), _report(2, 1, "Delivered")]
    others += [_report(2, 2, "Delivered") if is_end else _progress("Finished", 2)]
    async with _records(tmp_path) as record:
        await record.events.track("routee", [CAMPAIGN], "act")
        for posted in (*others, missing):
            await record.events.take_in(posted)
            assert await record.events.settled_price(posted) is None


async def test_what_came_in_before_receipts_were_counted_is_counted_with_the_next(tmp_path: Path) -> None:
    async with _records(tmp_path) as record:
        await record.events.track("routee", [CAMPAIGN], "act")
        for posted in EVERYTHING[:-4]:
            await record.events.take_in(posted)
        uncounted = text("UPDATE tracked SET seen = NULL, whole = NULL, spent = NULL")
        await record.database.write(lambda connection: connection.execute(uncounted))
        for posted in EVERYTHING[-4:]:
            await record.events.take_in(posted)
        assert await record.events.settled_price(EVERYTHING[-1]) == ("act", Decimal("0.12"))


async def test_a_receipt_reads_as_little_of_a_large_campaign_as_of_a_small_one(tmp_path: Path) -> None:
    async with _records(tmp_path) as record:
        await record.events.track("routee", [CAMPAIGN], "act")
        await record.events.take_in(_progress("Finished", 60))
        for message in range(59):
            await record.events.take_in(_report(message, 1, "Delivered"))
        last = _report(58, 2, "Delivered")
        with heard_statements() as heard:
            await record.events.take_in(last)
            await record.events.settled_price(last)
    with sqlite3.connect(tmp_path / "ringfence.db") as connection:
        rows = [
            (len(connection.execute(statement).fetchall()), statement)
            for statement in heard
            if re.match("SELECT", statement)
        ]
    connection.close()
    assert rows
    assert [row for row in rows if row[0] > 5] == []


async def test_a_campaign_is_settled_at_what_its_messages_cost(tmp_path: Path) -> None:
    async with opened(tmp_path) as (inbox, sandbox), inbox.client(person=Person()) as client:
        await sandbox.tell("routee/callbacks", {"delay": 1, "duplicates": 1, "reorder": True})
        plan = {"groups": ["Recall"], "sender": "Harbor", "text": "We open at nine.", "when": "now"}
        await answer_of(client, "routee_send_campaign", **plan, callback_url="inbox", campaign_callback_url="inbox")
        quoted = await spent_at(inbox)
        await sandbox.advance(3600)
        await sandbox.deliver_callbacks()
        charges = sum((Decimal(row["amount"]) for row in await sandbox.charges()), Decimal(0))
        settled = await spent_at(inbox)
    assert settled == f"€{charges.normalize():f}"
    assert settled != quoted
