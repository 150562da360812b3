"""Terms for calls like one that was made, for the operator to edit."""

import re
from datetime import datetime, timedelta
from typing import Any, Final, cast

from clients.operation import Operation
from guard.action import Action, arguments_of
from guard.allowances.allowance import CountLimit, MoneyLimit, Terms
from guard.allowances.conditions import Condition, Relation
from guard.allowances.fitness import arguments_in, is_left_out
from guard.money import Money

_COUNT: Final = 10
_LASTS: Final = timedelta(days=7)
_FREE_TEXT: Final = re.compile(r"\S+\s+\S.*", re.DOTALL)


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
