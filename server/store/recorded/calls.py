"""Reads past calls to decide about them again, page by page in the order of time, with what is booked for each."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import RowMapping

from guard.action import Action, State
from guard.money import Money
from guard.plans.plan import Plan, PlanState
from guard.replay.recorded import DaySum, RecordedJob, call_of, job_of_plan
from server.store.actions import action_of
from server.store.schema import actions, audit, holds, plan_steps, spending
from server.store.store import Store

PAGE: Final = 1000
"""Calls that are read at once: with larger pages it is not faster, and takes more memory."""

_LARGE: Final = {"before", "answer", "outcome", "owner"}
"""Columns that are left out: they may be large, and no rule looks at them."""

_COLUMNS: Final = [column for column in actions.columns if column.name not in _LARGE]
_BILLION: Final = Decimal(10) ** 9
_NOT_OF_RULES: Final = ("changes", "warnings")
"""Parts of a quote that no rule looks at; reading them takes most of the time."""


class RecordedCalls:
    """Implements `guard.replay.preview.CallsOfOne`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.database

    async def jobs(self, since: datetime, until: datetime) -> AsyncIterator[RecordedJob]:
        """Yield calls and plans between two times, in their order; those that expired unanswered are left out."""
        begins, last = since, ""
        while True:
            rows = await self._page(begins, last, until, plan_steps.c.plan_id.is_(None))
            ends = rows[-1]["created_at"] if len(rows) == PAGE else until
            jobs = [_job_of(row) for row in rows]
            jobs += [await self._job_of_plan(plan) for plan in await self._plans(begins, ends)]
            for job in sorted(jobs, key=lambda one: one.at):
                yield job
            if len(rows) < PAGE:
                return
            begins, last = ends, rows[-1]["id"]

    async def jobs_of(
        self, operation: str, principal: str, since: datetime, until: datetime
    ) -> AsyncIterator[RecordedJob]:
        """Yield the calls of an operation and whoever asked between two times, steps of plans each by itself."""
        begins, last = since, ""
        while True:
            whose = (actions.c.principal == principal) & (actions.c.operation == operation)
            rows = await self._page(begins, last, until, whose)
            for row in rows:
                yield _job_of(row)
            if len(rows) < PAGE:
                return
            begins, last = rows[-1]["created_at"], rows[-1]["id"]

    async def _page(
        self, begins: datetime, last: str, until: datetime, which: ColumnElement[bool]
    ) -> Sequence[RowMapping]:
        """Return the next calls of a kind, from a time on and after an id of that time."""
        after = (actions.c.created_at > begins) | (actions.c.id > last)
        query = (
            select(*_COLUMNS, holds.c.billionths, holds.c.currency, holds.c.state.label("hold"))
            .outerjoin(holds, holds.c.action_id == actions.c.id)
            .outerjoin(plan_steps, plan_steps.c.action_id == actions.c.id)
            .where(actions.c.created_at >= begins, after, actions.c.created_at < until)
            .where(actions.c.state != State.EXPIRED.value, which)
            .order_by(actions.c.created_at, actions.c.id)
            .limit(PAGE)
        )
        return await self._database.fetch(query)

    async def _plans(self, since: datetime, until: datetime) -> list[Plan]:
        found = await self._store.plans.proposed_between(since, until)
        return [plan for plan in found if plan.state is not PlanState.EXPIRED or _was_begun(plan)]

    async def _job_of_plan(self, plan: Plan) -> RecordedJob:
        made = await self._store.plans.actions_of(plan.id)
        charges = await self._store.spending.charges_of([action.id for action in made.values()])
        charged = {one: charge.amount for one, charge in charges.items() if charge.state != "released"}
        return job_of_plan(plan, made, charged)

    async def count_expired(self, since: datetime, until: datetime) -> int:
        """Return how many questions about calls expired without an answer."""
        query = select(func.count()).where(
            actions.c.state == State.EXPIRED.value, actions.c.created_at >= since, actions.c.created_at < until
        )
        return await self._count(query)

    async def count_refused(self, since: datetime, until: datetime) -> int:
        """Return how many calls the guard refused."""
        query = select(func.count()).where(audit.c.event == "denied", audit.c.at >= since, audit.c.at < until)
        return await self._count(query)

    async def sums_before(self, first: date, end: date) -> Sequence[DaySum]:
        """Return what was held and settled from a day on, until before another one."""
        query = select(spending).where(spending.c.day >= first.isoformat(), spending.c.day < end.isoformat())
        return [
            DaySum(
                date.fromisoformat(row["day"]),
                row["provider"],
                row["account"],
                _money(row["billionths"], row["currency"]),
            )
            for row in await self._database.fetch(query)
        ]

    async def find(self, action_id: str) -> Action | None:
        """Return one action in full."""
        return await self._store.journal.find(action_id)

    async def texted_us(self, numbers: Collection[str], since: datetime, until: datetime) -> frozenset[str]:
        """Return those of the numbers, in E.164, that sent this server a text between two times."""
        return await self._store.allowances.texted_us(numbers, since, until)

    async def _count(self, query: Any) -> int:
        [row] = await self._database.fetch(query)
        return int(next(iter(row.values())))


def _job_of(row: RowMapping) -> RecordedJob:
    hold: Literal["held", "settled", "released"] | None = row["hold"]
    is_booked = hold is not None and hold != "released"
    charged = _money(row["billionths"], row["currency"]) if is_booked else None
    quote: Mapping[str, Any] = row["quote"]
    values: dict[str, Any] = {column.name: row[column.name] for column in _COLUMNS}
    values["quote"] = {name: value for name, value in quote.items() if name not in _NOT_OF_RULES}
    action = action_of(values)
    return RecordedJob(action.created_at, (call_of(action, charged),))


def _was_begun(plan: Plan) -> bool:
    return any(step.action_id is not None for step in plan.steps)


def _money(amount: int, currency: str) -> Money:
    return Money(Decimal(amount) / _BILLION, currency)
