"""Terms for calls like one that was made, for the operator to edit, and what terms would have let through."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

from pydantic import ValidationError

from clients.operation import Operation, OperationType
from guard.action import Action, State, arguments_of, rebuild_call
from guard.allowances.allowance import CountLimit, MoneyLimit, Terms, Use, Window, use_of, window_start
from guard.allowances.conditions import Condition, Relation
from guard.allowances.fitness import arguments_in, fits, is_left_out, needs_lookup
from guard.allowances.record import AllowanceRecord
from guard.money import Money

LOOKBACK: Final = timedelta(days=30)
_COUNT: Final = 10
_LASTS: Final = timedelta(days=7)
_FREE_TEXT: Final = re.compile(r"\S+\s+\S.*", re.DOTALL)


class CallRecord(Protocol):
    """The calls on record."""

    async def calls_since(self, operation: str, principal: str, since: datetime) -> Sequence[Action]:
        """Return the actions of an operation and whoever asked since then, the oldest first; none that expired."""
        ...


@dataclass(frozen=True, slots=True)
class Lookback:
    """What terms would have done in the last 30 days."""

    calls: int
    """Calls of the operation by whoever asks that were proposed and did not expire."""

    let_through: int
    declined: int
    """Of those let through, the ones that somebody declined."""

    has_groups: bool = False
    """True where a condition asks for a group: nobody knows who was in it then, so none of its calls counts."""

    def __str__(self) -> str:
        was = "was" if self.declined == 1 else "were"
        declined = f", {self.declined} of which {was} declined" if self.declined else ""
        group = " Who was in its group then is not known, so no call counts." if self.has_groups else ""
        return (
            f"In the last {LOOKBACK.days} days it would have let {self.let_through} of {self.calls} "
            f"call{'' if self.calls == 1 else 's'} through{declined}.{group}"
        )


def terms_like(action: Action, call: Operation[Any], now: datetime) -> Terms:
    """Return terms for calls like one that was proposed: the same values, any text, ten a day for a week."""
    arguments = arguments_of(call)
    given = [name for name in arguments_in(type(call)) if name in arguments and not is_left_out(call, name)]
    amount = action.quote.amount
    return Terms(
        operation=action.operation,
        principal=action.principal,
        account=action.made_on,
        conditions=tuple(_condition(name, arguments[name]) for name in given),
        count=CountLimit(_COUNT, "day"),
        money=MoneyLimit(Money(amount.amount * _COUNT, amount.currency), "day") if amount is not None else None,
        until=(now + _LASTS).replace(microsecond=0),
    )


async def look_back(
    operation: OperationType, terms: Terms, calls: CallRecord, record: AllowanceRecord, now: datetime
) -> Lookback:
    """Count the calls of the last 30 days that terms would have let through, had they been in force."""
    found = await calls.calls_since(terms.operation, terms.principal, now - LOOKBACK)
    taken: list[tuple[datetime, Use]] = []
    declined = 0
    for action in found:
        if terms.account not in (None, action.account, action.made_on) or not await _fitted(
            operation, terms, action, record
        ):
            continue
        use = use_of(action.quote)
        if not _has_room(terms, taken, use, action.created_at):
            continue
        taken.append((action.created_at, use))
        declined += action.state is State.DECLINED
    has_groups = any(condition.relation is Relation.IN_GROUP for condition in terms.conditions)
    return Lookback(len(found), len(taken), declined, has_groups)


async def _fitted(operation: OperationType, terms: Terms, action: Action, record: AllowanceRecord) -> bool:
    """Return True if the arguments of a past call were as the terms demand, at the time of the call."""
    if action.quote.is_unknown or action.quote.recipients is None:
        return False
    try:
        call = rebuild_call(operation, action.arguments)
    except ValidationError:
        return False
    known: dict[Condition, Collection[str]] = {}
    for condition, numbers in needs_lookup(call, terms):
        if condition.relation is Relation.TEXTED_US:
            since = action.created_at - timedelta(days=condition.values[0])
            known[condition] = await record.texted_us(numbers, since, action.created_at)
    return fits(call, terms, known)


def _has_room(terms: Terms, taken: Sequence[tuple[datetime, Use]], use: Use, at: datetime) -> bool:
    count = sum(one.count for when, one in taken if _is_in(terms.count.window, when, at))
    if count + use.count > terms.count.most:
        return False
    if use.amount is None:
        return True
    money = terms.money
    if money is None or money.most.currency != use.amount.currency:
        return False
    spent = sum(one.amount.amount for when, one in taken if one.amount and _is_in(money.window, when, at))
    return spent + use.amount.amount <= money.most.amount


def _is_in(window: Window, moment: datetime, now: datetime) -> bool:
    since = window_start(window, now)
    return since is None or moment >= since


def _condition(name: str, value: Any) -> Condition:
    if _is_free_text(value):
        return Condition(name, Relation.ANY)
    entries = _plain_entries(value)
    return Condition(name, Relation.ONE_OF, entries) if entries else Condition(name, Relation.EQUALS, (value,))


def _is_free_text(value: object) -> bool:
    return isinstance(value, str) and _FREE_TEXT.fullmatch(value) is not None


def _plain_entries(value: object) -> tuple[object, ...]:
    """Return the entries of a list of texts and numbers; none of anything else."""
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(entries) if all(isinstance(one, str | int) for one in entries) else ()
