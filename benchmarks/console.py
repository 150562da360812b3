"""Measures every page of the console at a hundred thousand actions: milliseconds a page, over a socket."""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.engine import Connection
from starlette.routing import Route

from benchmarks.measuring import Row
from benchmarks.record import Bench, open_bench, spread, time_step
from guard.action import Action, State, new_action_id
from guard.money import Money
from guard.rules.quote import Quote
from server.console.page_identity import PageIdentity
from server.console.pages import PageSetup, console_routes
from server.store.actions import row_of
from server.store.reservations import billionths
from server.store.schema import action_texts, actions, holds, spending, spending_by_operation
from server.store.searchable import searchable_row
from server.store.store import Store

ACTIONS: Final = 100_000
DAYS: Final = 400
VIEWS: Final = 30
AT_ONCE: Final = 5_000
RECENT: Final = 40
"""Of the latest so many, some have an outcome that is unknown; of older ones none."""

AIM: Final = "< 50 ms"

_KINDS: Final = (
    ("voicetel", "voicetel", "voicetel_send_message", "Text +1 212 555 {number:04d}, 1 part", "0.0075", "USD"),
    ("voicetel", "clinic", "voicetel_order_numbers", "Order +1 212 555 {number:04d}", "1.00", "USD"),
    ("voicetel", "clinic", "voicetel_update_forward", "Forward +1 212 555 {number:04d}", None, "USD"),
    ("routee", "routee", "routee_send_sms", "Text +30 690 000 {number:04d}, 2 parts", "0.096", "EUR"),
)
_ENDS: Final = (*[State.DONE] * 16, State.DECLINED, State.EXPIRED, State.REFUSED, State.UNKNOWN)
_DECIDERS: Final = (
    "local:alice, in the client's form",
    "the operator, on the approval page",
    "the operator, on the command line",
)

FILTERS: Final = (
    "state=done",
    "state=unknown",
    "provider=routee",
    "account=clinic",
    "principal=local%3Aalice",
    "operator=the+operator%2C+on+the+approval+page",
    "operator=the+operator",
    "since=30d",
    "since=2026-01-01&until=2026-02-01&provider=voicetel&state=done",
    "search=0142",
    "search=%2B1+212+555+0142",
    "search=nothing+that+stands+anywhere",
    "search=nothing+that+stands+anywhere&state=done&provider=voicetel",
    "provider=routee&account=clinic",
)
"""Queries of the history, each of which reads the record in another way; the last ones fit nothing."""


async def console(url: str, folder: Path) -> list[Row]:
    """Fill a record, and measure every page that is read, as an operator who is signed in."""
    async with open_bench(url, folder) as bench:
        await fill_history(bench.store, ACTIONS)
        return [await _measure(bench, path) for path in await _paths(bench)]


async def _measure(bench: Bench, path: str) -> Row:
    """Measure one page. Its CPU time is that of this process, with the browser: no other load adds to it."""
    before = time.process_time()
    taken = await time_step(lambda: bench.page.open(path), VIEWS)
    cpu = (time.process_time() - before) / (VIEWS + 1)
    return Row(f"console, {path or '/'}, {ACTIONS:,} actions", spread(taken), f"{1000 * cpu:.2f} ms CPU", aim=AIM)


async def _paths(bench: Bench) -> Sequence[str]:
    """Return the path of every page, as the routes name them, and of the history by each filter."""
    [latest] = await bench.store.journal.latest(1)
    known = {"action_id": latest.id}
    identity = PageIdentity(bench.store.seal, store_address="benchmark", base="http://127.0.0.1")
    setup = PageSetup(store=bench.store, hosts=[], identity=identity, options=bench.options)
    plain = [path for route in console_routes(setup) if (path := _path_of(route, known)) is not None]
    return [*plain, *(f"/history?{query}" for query in FILTERS), f"/history?before={latest.id}"]


def _path_of(route: Any, known: dict[str, str]) -> str | None:
    """Return the path of a page that is read; None for a file, a form, or what needs an id that there is none of."""
    if not isinstance(route, Route) or "GET" not in (route.methods or ()):
        return None
    path = route.path.removeprefix("/approvals")
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", value)
    is_page = "{" not in path and "." not in path and path not in {"/", "/healthz"}
    return path if is_page else None


async def fill_history(store: Store, count: int, *, until: datetime | None = None) -> None:
    """Fill a store with actions of the last months: most carried out, what they cost, and what a search finds."""
    now = until or datetime.now(UTC)
    chance = random.Random(1)  # noqa: S311 - the same record every time
    for start in range(0, count, AT_ONCE):
        some = list(_history(range(start, min(count, start + AT_ONCE)), count, now, chance))
        await store.database.write(lambda connection, some=some: _insert(connection, some))  # type: ignore[misc]
    await store.database.write(_sum_up)


def _history(numbers: range, count: int, now: datetime, chance: random.Random) -> Iterator[Action]:
    quotes = {kind: _quote(price, currency) for kind, (*_, price, currency) in enumerate(_KINDS)}
    for number in numbers:
        kind = chance.choices(range(len(_KINDS)), (70, 2, 8, 20))[0]
        provider, account, operation, title, _, _ = _KINDS[kind]
        state = _ENDS[number % len(_ENDS)]
        if state is State.UNKNOWN and number < count - RECENT:
            state = State.DONE
        at = now - timedelta(days=DAYS) * (1 - number / count) + timedelta(microseconds=number)
        arguments = {"from_number": "+12015550142", "to_number": f"+1212555{number % 10_000:04d}"}
        yield Action(
            id=new_action_id(),
            provider=provider,
            account="benchmark",
            account_name=account,
            operation=operation,
            title=title.format(number=number % 10_000),
            arguments=arguments | {"text": f"Order {number} is ready at the counter."},
            digest=f"{number:064x}",
            principal=f"local:{chance.choice(('alice', 'bob', 'night-shift'))}",
            channel="ask",
            quote=quotes[kind],
            state=state,
            created_at=at,
            expires_at=at + timedelta(minutes=15),
            decided_by=None if state is State.EXPIRED else chance.choice(_DECIDERS),
            decided_at=None if state is State.EXPIRED else at,
            sent_at=at if state in {State.DONE, State.REFUSED, State.UNKNOWN} else None,
            finished_at=at if state is not State.UNKNOWN else None,
        )


def _quote(price: str | None, currency: str) -> Quote:
    amount = Money(Decimal(price), currency) if price else None
    return Quote(amount=amount, item="message", quantity=1, source="the account's rates", recipients=1)


def _insert(connection: Connection, some: Sequence[Action]) -> None:
    connection.execute(insert(actions), [row_of(one) for one in some])
    connection.execute(
        insert(action_texts),
        [
            searchable_row(
                action_id=one.id,
                created_at=one.created_at,
                operation=one.operation,
                title=one.title,
                arguments=one.arguments,
            )
            for one in some
        ],
    )
    booked = [one for one in some if one.sent_at and one.quote.amount]
    connection.execute(insert(holds), [_hold(one) for one in booked])


def _hold(action: Action) -> dict[str, Any]:
    state = {State.DONE: "settled", State.UNKNOWN: "held"}.get(action.state, "released")
    money = action.quote.amount or Money(Decimal(0))
    return {
        "action_id": action.id,
        "provider": action.provider,
        "account": action.made_on,
        "currency": money.currency,
        "billionths": billionths(money.amount),
        "state": state,
        "at": action.sent_at,
    }


def _sum_up(connection: Connection) -> None:
    """Fill the sums by day, as the store keeps them."""
    of_day = "substr(h.at, 1, 10), h.provider, h.account"
    booked = "FROM holds h JOIN actions a ON a.id = h.action_id WHERE h.state <> 'released'"
    connection.exec_driver_sql(
        f"INSERT INTO {spending.name} (day, provider, account, currency, billionths) "
        f"SELECT {of_day}, h.currency, sum(h.billionths) {booked} GROUP BY {of_day}, h.currency"
    )
    connection.exec_driver_sql(
        f"INSERT INTO {spending_by_operation.name} "
        "(day, provider, account, operation, currency, billionths, calls) "
        f"SELECT {of_day}, a.operation, h.currency, sum(h.billionths), count(*) {booked} "
        f"GROUP BY {of_day}, a.operation, h.currency"
    )
