"""Prices in receipts replace what was held for the action that they belong to, once all of them are known."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from guard.action import State
from guard.budget import Hold
from guard.money import Money
from tools.callbacks import Posted

if TYPE_CHECKING:
    from server.store.record import Record

REPORTS = {"sms", "pool"}


async def settle(record: "Record", posted: Posted) -> None:
    """Settle the action of a callback at what its messages cost. As often as it is called, it comes to the same."""
    found = await record.events.action_of(posted)
    if found is None:
        return
    action_id, subject = found
    action = await record.journal.find(action_id)
    if action is None or action.state is not State.DONE or action.quote.amount is None:
        return
    spent = whole_price(await record.events.states(subject), subject)
    if spent is not None:
        await record.journal.settle(action.id, Hold(action.provider, Money(spent, action.quote.amount.currency)))


def whole_price(states: Iterable[Posted], subject: str) -> Decimal | None:
    """The sum of the prices, if every part of every message is final and has one. A missing price is never zero."""
    known = list(states)
    messages: dict[str, list[Posted]] = {}
    for one in known:
        if one.kind in REPORTS and one.text is None:
            messages.setdefault(one.subject, []).append(one)
    if len(messages) < _expected(known, subject) or not messages:
        return None
    total = Decimal(0)
    for parts in messages.values():
        if len(parts) < parts[0].parts or not all(part.is_final for part in parts):
            return None
        for part in parts:
            if part.price is None:
                return None
            total += part.price
    return total


def _expected(states: list[Posted], subject: str) -> float:
    """How many messages there are: one, or as many as the campaign says when it is over."""
    progress = [one for one in states if one.kind == "campaign" and one.subject == subject]
    if any(one.campaign == subject for one in states if one.kind in REPORTS) or progress:
        return next((one.parts for one in progress if one.is_final), float("inf"))
    return 1
