"""The calls that most probes make: an order of numbers, and a text message."""

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
    """Arguments of an order."""
    return {"numbers": list(numbers)}


def message(to: str, text: str, *, sender: str = SENDER) -> dict[str, Any]:
    """Arguments of a text message."""
    return {"from_number": sender, "to_number": to, "text": text}


async def order_waits(assistant: Assistant, *numbers: str) -> str:
    """Make an order that nobody at the client can answer; returns the action that waits.

    Raises:
        Broken: It does not wait.
    """
    return waiting(await assistant.call(ORDER, order(*numbers)))


def waiting(reply: Reply) -> str:
    """Id of the action that waits for a person.

    Raises:
        Broken: Nothing waits.
    """
    expect(reply.waits, f"the call did not wait for a person: {reply.text[:100]}")
    return reply.action
