"""Reads the history page by page, as choices for a form, and whole."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from guard.action import Action
from guard.plans.journal import StepPlace
from server.store.actions import action_of
from server.store.engine import Database
from server.store.reports.filter import ActionFilter, BadFilter
from server.store.reports.finding import Key, ReadLimits, distinct, find_actions
from server.store.reports.plan_entries import PlanEntry, find_plans
from server.store.reports.spending import Charged, charges_in
from server.store.schema import actions, plan_steps, plans

DEFAULT_LIMITS: Final = ReadLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action of the history, with what is booked for it."""

    action: Action
    charged: Charged | None
    place: StepPlace | None
    """The step of a plan that it carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some of the actions that fit, newest first."""

    entries: Sequence[Entry]
    plans: Sequence[PlanEntry] = ()
    """Plans that fit, from the same span of time."""

    next_key: str | None = None
    """The id to go on before; None at the end."""

    looked_back_to: datetime | None = None
    """Where the read ended before the page was full, because it looked through as many as one read does."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Values on record, which a form offers."""

    provider: Sequence[str] = ()
    account: Sequence[str] = ()
    principal: Sequence[str] = ()
    operator: Sequence[str] = ()


class StoredHistory:
    """Reads the history. Every method raises `JournalUnavailable` if the store cannot be read."""

    def __init__(self, database: Database, limits: ReadLimits = DEFAULT_LIMITS) -> None:
        self._database = database
        self._limits = limits

    async def page(
        self, wanted: ActionFilter, *, limit: int, before: str | None = None, with_plans: bool = False
    ) -> HistoryPage:
        """Return the newest actions that fit, of those that were requested before the action or plan `before`.

        Raises:
            BadFilter: There is no action or plan of that id.
        """
        return await self._database.read(
            lambda connection: _page(connection, wanted, self._limits, limit, before, with_plans=with_plans)
        )

    async def latest(
        self, wanted: ActionFilter, *, limit: int, before: str | None = None
    ) -> tuple[Sequence[Entry], str | None]:
        """Return up to so many of the newest actions that fit, and the id to go on before; None at the end.

        Looks through the whole record if it has to, in several reads.

        Raises:
            BadFilter: There is no action or plan `before`.
        """
        found: list[Entry] = []
        while True:
            page = await self.page(wanted, limit=limit - len(found), before=before)
            found += page.entries
            before = page.next_key
            if before is None or len(found) >= limit:
                return found, before

    async def choices(self) -> Choices:
        """Return the providers, accounts, principals and operators on record."""
        return await self._database.read(_choices)

    async def every(self, wanted: ActionFilter) -> AsyncIterator[Entry]:
        """Read every action that fits, newest first, some at a time."""
        before: str | None = None
        while True:
            page = await self.page(wanted, limit=self._limits.exported_at_once, before=before)
            for entry in page.entries:
                yield entry
            if page.next_key is None:
                return
            before = page.next_key


def _page(
    connection: Connection,
    wanted: ActionFilter,
    limits: ReadLimits,
    limit: int,
    before: str | None,
    *,
    with_plans: bool,
) -> HistoryPage:
    start = _key_of(connection, before) if before else None
    found = find_actions(connection, wanted, limit + 1, start, limits)
    listed = found.keys[:limit]
    reached = found.reached if len(found.keys) <= limit else None
    has_more = len(found.keys) > limit or reached is not None
    last = reached or (listed[-1] if has_more else None)
    near = find_plans(connection, wanted, limit + 1, start, last) if with_plans else []
    if len(near) > limit:
        # More plans than fit on a page: it ends with the last of them, so that none is left out.
        near = near[:limit]
        last, reached = Key(near[-1].created_at, near[-1].id), None
        listed = [key for key in listed if (key.at, key.id) > (last.at, last.id)]
    return HistoryPage(
        entries=_entries(connection, [key.id for key in listed]),
        plans=near,
        next_key=last.id if last else None,
        looked_back_to=reached.at if reached else None,
    )


def _key_of(connection: Connection, key: str) -> Key:
    for table in (actions, plans):
        row = connection.execute(select(table.c.created_at, table.c.id).where(table.c.id == key)).first()
        if row is not None:
            return Key(*row)
    raise BadFilter(f"There is no action or plan {key[:20]!r} to go on from.")


def _entries(connection: Connection, ids: Sequence[str]) -> list[Entry]:
    """Read actions by their ids, in that order, with what is booked for them."""
    rows = connection.execute(select(actions).where(actions.c.id.in_(ids))).mappings()
    found = {row["id"]: action_of(row) for row in rows}
    charged = charges_in(connection, ids)
    steps = select(plan_steps.c.action_id, plan_steps.c.plan_id, plan_steps.c.position)
    places = {
        row[0]: StepPlace(row[1], row[2]) for row in connection.execute(steps.where(plan_steps.c.action_id.in_(ids)))
    }
    return [Entry(action=found[one], charged=charged.get(one), place=places.get(one)) for one in ids]


def _choices(connection: Connection) -> Choices:
    return Choices(
        provider=distinct(connection, actions.c.provider),
        account=[one for one in distinct(connection, actions.c.account_name) if one],
        principal=distinct(connection, actions.c.principal),
        operator=distinct(connection, actions.c.decided_by),
    )
