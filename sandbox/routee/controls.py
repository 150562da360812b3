"""What the outside world does to the account: people write, tokens expire, callbacks go astray, money runs out."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from sandbox.frame.controls import ControlError, control
from sandbox.frame.wire import Wire
from sandbox.routee.callbacks import Disturbance
from sandbox.routee.fields import Phone, Text
from sandbox.routee.sending import receive
from sandbox.routee.state import State


@control("POST", "/expire-tokens")
def expire_tokens(state: State) -> Wire:
    """Make every access token invalid at once."""
    return {"expired": state.tokens.expire_all()}


@control("POST", "/inbound", status=201)
def receive_message(state: State, *, from_: Phone, to: str, message: Text) -> Wire:
    """Let an SMS come in; `to` is one of the rented numbers, with or without '+'."""
    number = f"+{to.removeprefix('+')}"
    if number not in state.numbers:
        raise ControlError(f"{number} is not rented")
    return {"messageId": receive(state, from_, number, message).id}


@control("PUT", "/balance")
def set_balance(state: State, *, balance: Annotated[Decimal, Field(ge=0)]) -> Wire:
    """Set what is left to spend, in EUR."""
    state.balance = balance
    return {"balance": str(balance)}


@control("GET", "/callbacks")
def list_callbacks(state: State) -> Wire:
    """Show every callback with the answers it got, and how callbacks are disturbed."""
    deliveries = [delivery.to_wire() for delivery in state.outbox.deliveries]
    return {"settings": state.outbox.disturbance.model_dump(), "deliveries": deliveries}


@control("POST", "/callbacks")
def disturb_callbacks(state: State, settings: Disturbance) -> Wire:
    """Delay, repeat or reorder the callbacks that are written from now on; what is left out goes back to normal."""
    state.outbox.disturbance = settings
    return settings.model_dump()


@control("POST", "/callbacks/deliver")
async def deliver_callbacks(state: State) -> Wire:
    """Post what is due before answering, for a sandbox whose `run` nobody runs."""
    return {"delivered": await state.outbox.deliver()}


CONTROLS = (expire_tokens, receive_message, set_balance, list_callbacks, disturb_callbacks, deliver_callbacks)
