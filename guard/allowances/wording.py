"""Allowances in words for people and models: what one allows, what is left of it, and what it leaves alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from clients.operation import OperationType
from guard.allowances.allowance import Allowance, Terms, Usage
from guard.allowances.conditions import Condition, Relation
from guard.allowances.fitness import left_out
from guard.messages import requester, shown

STILL_STANDS: Final = (
    "It reaches over nothing else: text from outside, opt-outs, quiet hours, destinations, budget caps, an unknown "
    "price, repetition, bulk and the freeze are as without it."
)


_MOMENT: Final = "%Y-%m-%d at %H:%M UTC"


def terms_lines(operation: OperationType | None, terms: Terms) -> list[str]:
    """Word what an allowance allows, one line each."""
    account = f", account {shown(terms.account)}" if terms.account else ""
    title = f"{operation.spec.title} at {operation.spec.provider.title}" if operation else terms.operation
    lines = [f"{shown(requester(terms.principal))} may call {title} ({terms.operation}) without a question{account}:"]
    lines += [f"  {condition_line(condition)}" for condition in terms.conditions]
    lines += [f"  {name} left out" for name in (left_out(operation, terms) if operation else ())]
    lines.append(f"At most {terms.limits}, until {terms.until:%Y-%m-%d %H:%M} UTC.")
    return lines + ([f"What for: {shown(terms.note)}"] if terms.note else [])


def condition_line(condition: Condition) -> str:
    """Write a condition so that nobody overlooks that any value is meant."""
    return f"{condition.argument}: ANY VALUE" if condition.relation is Relation.ANY else shown(str(condition))


def usage_line(allowance: Allowance, usage: Usage | None) -> str:
    """Say what an allowance let through in its windows, and how much it allows there."""
    count, money = allowance.terms.count, allowance.terms.money
    used = usage.count if usage else 0
    line = f"{used} of {count.most} {_IN[count.window]}"
    if money is None:
        return line
    spent = usage.money if usage and usage.money else money.most - money.most
    return f"{line}, {spent} of {money.most} {_IN[money.window]}"


_IN: Final = {"day": "today", "month": "this month", "total": "in all"}


def brief(terms: Terms) -> str:
    """Word an allowance in one line, for lists and for whoever calls under it."""
    conditions = "; ".join(shown(str(condition)) for condition in terms.conditions) or "no argument at all"
    return f"{conditions}; at most {terms.limits}; until {terms.until:%Y-%m-%d %H:%M} UTC"


def status_line(allowance: Allowance, at: datetime) -> str:
    """Say in one sentence where an allowance stands."""
    revoked_at, until, created_at = allowance.revoked_at, allowance.terms.until, allowance.created_at
    if revoked_at is not None:
        return f"{allowance.id} was revoked on {revoked_at:{_MOMENT}} by {shown(allowance.revoked_by or '')}."
    if at >= until:
        return f"{allowance.id} is over since {until:{_MOMENT}}."
    return f"{allowance.id} is in force; it was added on {created_at:{_MOMENT}} by {shown(allowance.created_by)}."


def summary(found: Sequence[Allowance]) -> str:
    """Say for whoever may use them under which conditions calls need no approval; empty where there are none."""
    return " Or: ".join(f"{one.id}: {brief(one.terms)}." for one in found)
