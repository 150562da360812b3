"""The calls that most probes make: ordering numbers and sending a text message."""

from typing import Any, Final

from server.probes.assistant import Assistant, Reply
from server.probes.probe import expect

ORDER: Final = "voicetel_order_numbers"
ORDERS: Final = "/v2.2/orders"
SEND: Final = "voicetel_send_message"
MESSAGES: Final = "/v2.2/messages"

SENDER: Final = "+12015550142"
OTHER_SENDER: Final = "+12125550145"


def order(*numbers: str) -> dict[str, Any]:
    """Build the arguments of an order."""
    return {"numbers": list(numbers)}


def message(to: str, text: str, *, sender: str = SENDER) -> dict[str, Any]:
    """Build the arguments of a text message."""
    return {"from_number": sender, "to_number": to, "text": text}


async def propose_order(assistant: Assistant, *numbers: str) -> str:
    """Order numbers from a client that cannot ask, and return the id of the pending action.

    Raises:
        Broken: It is not pending.
    """
    return pending_action(await assistant.call(ORDER, order(*numbers)))


def pending_action(reply: Reply) -> str:
    """Return the id of the action that waits for approval.

    Raises:
        Broken: Nothing waits.
    """
    expect(reply.waits, f"the call did not wait for approval: {reply.text[:100]}")
    return reply.action
