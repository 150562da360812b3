"""Settles an action at the price in its delivery reports, once all of them have one."""

from guard.action import State
from guard.money import Money
from guard.rules.budget import Hold
from server.store.store import Store
from tools.webhooks import Callback


async def settle(store: Store, callback: Callback) -> None:
    """Replace the hold of a callback's action by what its messages cost; repeating it changes nothing."""
    found = await store.events.settled_price(callback)
    if found is None:
        return
    action_id, spent = found
    action = await store.journal.find(action_id)
    if action is None or action.state is not State.DONE or action.quote.most is None:
        return
    await store.journal.settle(
        action.id, Hold(action.provider, Money(spent, action.quote.most.currency), action.account_name)
    )
    await store.events.note_settled(callback)
