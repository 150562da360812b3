"""Prices in receipts replace what was held for the action that they belong to, once all of them are known."""

from typing import TYPE_CHECKING

from guard.action import State
from guard.money import Money
from guard.rules.budget import Hold
from tools.webhooks import Callback

if TYPE_CHECKING:
    from server.store.store import Store


async def settle(store: "Store", posted: Callback) -> None:
    """Settle the action of a callback at what its messages cost. As often as it is called, it comes to the same."""
    found = await store.events.settled_price(posted)
    if found is None:
        return
    action_id, spent = found
    action = await store.journal.find(action_id)
    if action is None or action.state is not State.DONE or action.quote.amount is None:
        return
    await store.journal.settle(action.id, Hold(action.provider, Money(spent, action.quote.amount.currency)))
    await store.events.note_settled(posted)
