"""The sums that caps are checked against always equal what is held and settled."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Connection

from guard.money import Money
from guard.rules.budget import Cap, Hold
from server.store.engine import Database
from server.store.reservations import release_hold, settle_hold, spent_in, take_hold
from tests.server.test_store import migrate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AMOUNTS = some.decimals(min_value=0, max_value=1000, places=4)
CURRENCIES = some.sampled_from(["USD", "EUR"])
STEPS = some.one_of(
    some.tuples(some.just("close"), some.integers(0, 5), some.sampled_from(["settled", "released"])),
    some.tuples(some.just("settle"), some.integers(0, 5), some.builds(Money, AMOUNTS, CURRENCIES)),
)
HELD = some.tuples(
    some.sampled_from(["voicetel", "routee"]), some.builds(Money, AMOUNTS, CURRENCIES), some.integers(0, 60)
)


@settings(max_examples=25, deadline=None)
@given(held=some.lists(HELD, max_size=6), steps=some.lists(STEPS, max_size=10))
def test_whatever_is_held_settled_and_released_the_sums_are_those_of_the_holds(
    held: list[tuple[str, Money, int]], steps: list[tuple[str, int, str | Money]]
) -> None:
    anyio.run(_agree, held, steps)


async def test_a_store_from_before_the_sums_has_them_after_it_was_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.db"
    migrate(make_url(f"sqlite:///{file}"), to="0001")
    engine = create_engine(f"sqlite:///{file}")
    rows = [("a", "settled", 3), ("b", "held", 4), ("c", "released", 5)]
    with engine.begin() as connection:
        for name, state, amount in rows:
            values = f"'{name}', 'voicetel', 'USD', {amount}000000000, '{state}', '2026-11-20T10:00:00.000000+00:00'"
            connection.execute(text(f"INSERT INTO holds VALUES ({values})"))  # noqa: S608 - our own values
    engine.dispose()
    database = Database(f"sqlite:///{file}")
    spent = await database.read(lambda connection: spent_in(connection, [Cap("month", Money(Decimal(10)))], NOW))
    assert [found.amount for found in spent] == [Decimal(7)]
    await database.close()


async def _agree(held: list[tuple[str, Money, int]], steps: list[tuple[str, int, str | Money]]) -> None:
    database = Database("sqlite://")

    def agree(connection: Connection) -> None:
        for number, (where, amount, days) in enumerate(held):
            take_hold(connection, f"act_{number}", where, amount, NOW - timedelta(days=days))
        for _, number, what in steps:
            if isinstance(what, Money):
                settle_hold(connection, f"act_{number}", Hold("voicetel", what))
            else:
                release_hold(connection, f"act_{number}", to=what)
        for window, since in (("day", "2026-11-21"), ("month", "2026-11-01")):
            for currency in ("USD", "EUR"):
                for provider in (None, "voicetel", "routee"):
                    cap = Cap("day" if window == "day" else "month", Money(Decimal(1), currency), provider)
                    counted = connection.execute(
                        text(
                            "SELECT coalesce(sum(billionths), 0) FROM holds WHERE state <> 'released' AND at >= :since "
                            "AND currency = :currency AND (:provider IS NULL OR provider = :provider)"
                        ),
                        {"since": since, "currency": currency, "provider": provider},
                    )
                    spent = (spent_in(connection, [cap], NOW))[0].amount
                    assert spent * 10**9 == counted.scalar_one()

    await database.write(agree)
    await database.close()
