"""Counts what allowances let through, in the transaction that takes the approval.

A use belongs to an action, or to a step of a plan until its action begins. One whose call provably never left, or was
refused, is released and counts no more. Writers come one after the other, so that no two of them take the last place.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from guard.action import Action
from guard.allowances.allowance import Cover, Use, Window, use_of, window_start
from guard.errors import AllowanceGone
from guard.money import Money, is_price
from guard.plans.journal import StepPlace
from guard.plans.plan import Plan, Step
from server.store.reservations import billionths
from server.store.schema import allowance_uses, allowances

_BILLION = Decimal(10) ** 9
_COUNTED: Final = "counted"
_RELEASED: Final = "released"


@dataclass(slots=True)
class Room:
    """What an allowance has left, as it is taken within one transaction."""

    row: RowMapping
    count: int
    spent: int
    """In whole billionths."""

    def is_for(self, call: Action | Step, principal: str) -> bool:
        """Return True if the allowance is for the operation of a call, whoever asks, and its account."""
        row = self.row
        is_same_call = (row["operation"], row["principal"]) == (call.operation, principal)
        return is_same_call and row["account"] in (None, call.account, call.made_on)

    def take(self, use: Use) -> bool:
        """Take what a call needs; False if that is more than is left."""
        amount = use.amount
        if self.count + use.count > self.row["count_most"]:
            return False
        if amount is not None:
            if amount.currency != self.row["currency"] or not is_price(amount):
                return False
            if self.spent + billionths(amount.amount) > self.row["money_most"]:
                return False
            self.spent += billionths(amount.amount)
        self.count += use.count
        return True


def take_use(connection: Connection, action: Action, cover: Cover, at: datetime) -> str | None:
    """Count an action against the first allowance that has room for it; return the allowance's id, None if none has."""
    for room in _rooms(connection, cover.allowances, at).values():
        if room.is_for(action, action.principal) and room.take(cover.use):
            connection.execute(insert(allowance_uses), [_use_row(room, cover.use, at, action_id=action.id)])
            allowance_id: str = room.row["id"]
            return allowance_id
    return None


def take_uses(connection: Connection, plan: Plan, covers: Mapping[int, Cover], at: datetime) -> dict[int, str]:
    """Count steps of a plan, by their positions, against allowances with room; return the allowance of each.

    Raises:
        AllowanceGone: One of the steps finds no room; the transaction has to be rolled back.
    """
    rooms = _rooms(connection, dict.fromkeys(one for cover in covers.values() for one in cover.allowances), at)
    steps = {step.position: step for step in plan.steps}
    taken: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    for position, cover in sorted(covers.items()):
        step = steps[position]
        fitting = (rooms[one] for one in cover.allowances if one in rooms)
        room = next(
            (one for one in fitting if one.is_for(step, plan.principal) and one.take(cover.use)),
            None,
        )
        if room is None:
            raise AllowanceGone(f"No allowance has room for step {position} of {plan.id}; nothing was sent.")
        taken[position] = room.row["id"]
        rows.append(_use_row(room, cover.use, at, plan_id=plan.id, position=position))
    connection.execute(insert(allowance_uses), rows)
    return taken


def begin_step_use(connection: Connection, place: StepPlace, action: Action, allowance_id: str, at: datetime) -> None:
    """Hand the use of a step on to its action; count it anew where an earlier attempt, which did not count, had it.

    Raises:
        AllowanceGone: The allowance was revoked, is over, or leaves no room for another attempt.
    """
    row = require_standing(connection, allowance_id, at)
    handed_on = update(allowance_uses).where(_of_step(place), allowance_uses.c.state == _COUNTED)
    if connection.execute(handed_on.values(action_id=action.id)).rowcount:
        return
    use, room = use_of(action.quote), _room(connection, row, at)
    if not room.take(use):
        raise AllowanceGone(f"The allowance {allowance_id} is used up; nothing was sent.")
    connection.execute(insert(allowance_uses), [_use_row(room, use, at, action_id=action.id)])


def require_standing(connection: Connection, allowance_id: str, at: datetime) -> RowMapping:
    """Return an allowance that was not revoked meanwhile and is not over.

    Raises:
        AllowanceGone: It does not stand.
    """
    row = _standing(connection, allowance_id, at)
    if row is None:
        raise AllowanceGone(f"The allowance {allowance_id} was revoked or is over; nothing was sent.")
    return row


def release_use(connection: Connection, action_id: str) -> None:
    """Count an action no more: it was not sent, or the provider refused it."""
    _release(connection, allowance_uses.c.action_id == action_id)


def release_step_uses(connection: Connection, plan_id: str, positions: Collection[int] | None = None) -> None:
    """Count steps no more that have no action yet: those at some positions, or all of a plan."""
    own = (allowance_uses.c.plan_id == plan_id) & allowance_uses.c.action_id.is_(None)
    _release(connection, own if positions is None else own & allowance_uses.c.position.in_(positions))


def settle_use(connection: Connection, action_id: str, amount: Money | None) -> None:
    """Replace what an action was counted with by what the provider charged, where that is a price of its currency."""
    if amount is None or not is_price(amount):
        return
    same = (allowance_uses.c.action_id == action_id) & (allowance_uses.c.currency == amount.currency)
    connection.execute(update(allowance_uses).where(same).values(billionths=billionths(amount.amount)))


def counted_in(connection: Connection, row: RowMapping, at: datetime) -> tuple[int, Decimal]:
    """Return how many calls an allowance let through in the window of its count, and the money in that of its money."""
    count = _sum(connection, row["id"], allowance_uses.c.count, row["count_window"], at)
    if row["money_window"] is None:
        return count, Decimal(0)
    spent = _sum(connection, row["id"], allowance_uses.c.billionths, row["money_window"], at)
    return count, Decimal(spent) / _BILLION


def _standing(connection: Connection, allowance_id: str, at: datetime) -> RowMapping | None:
    query = select(allowances).where(
        allowances.c.id == allowance_id, allowances.c.revoked_at.is_(None), allowances.c.until > at
    )
    return connection.execute(query).mappings().first()


def _rooms(connection: Connection, allowance_ids: Iterable[str], at: datetime) -> dict[str, Room]:
    """Return the room in each allowance that stands, in the order of the ids."""
    found = ((one, _standing(connection, one, at)) for one in allowance_ids)
    return {one: _room(connection, row, at) for one, row in found if row is not None}


def _room(connection: Connection, row: RowMapping, at: datetime) -> Room:
    count, spent = counted_in(connection, row, at)
    return Room(row, count, billionths(spent))


def _use_row(
    room: Room,
    use: Use,
    at: datetime,
    *,
    action_id: str | None = None,
    plan_id: str | None = None,
    position: int | None = None,
) -> dict[str, Any]:
    return {
        "allowance_id": room.row["id"],
        "at": at,
        "count": use.count,
        "billionths": billionths(use.amount.amount) if use.amount else 0,
        "currency": use.amount.currency if use.amount else None,
        "state": _COUNTED,
        "action_id": action_id,
        "plan_id": plan_id,
        "position": position,
    }


def _release(connection: Connection, which: ColumnElement[bool]) -> None:
    connection.execute(update(allowance_uses).where(which).values(state=_RELEASED))


def _sum(connection: Connection, allowance_id: str, column: Any, window: Window, at: datetime) -> int:
    query = select(func.coalesce(func.sum(column), 0)).where(
        allowance_uses.c.allowance_id == allowance_id, allowance_uses.c.state == _COUNTED
    )
    since = window_start(window, at)
    if since is not None:
        query = query.where(allowance_uses.c.at >= since)
    return int(connection.execute(query).scalar_one())


def _of_step(place: StepPlace) -> ColumnElement[bool]:
    return (
        (allowance_uses.c.plan_id == place.plan_id)
        & (allowance_uses.c.position == place.position)
        & allowance_uses.c.action_id.is_(None)
    )
