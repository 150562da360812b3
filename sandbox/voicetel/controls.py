"""What the outside world does to the account: money runs out, strangers write and call, numbers go."""

from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field

from sandbox.frame.controls import Control, ControlError, control
from sandbox.frame.wire import Wire
from sandbox.voicetel.fields import Tn
from sandbox.voicetel.state import Account, CallRecord, Message, State


@control("PUT", "/cash/{username}")
def set_cash(state: State, username: str, *, cash: Decimal) -> Wire:
    """Set the prepaid balance of an account."""
    account = state.accounts.get(username)
    if account is None:
        raise ControlError("no such account")
    account.cash = cash
    return {"cash": str(cash)}


@control("POST", "/inbound", status=201)
def receive_message(
    state: State, *, source: Tn, destination: Tn, text: str, kind: Literal["sms", "mms"] = "sms"
) -> Wire:
    """Let a stranger's message come in to a number on some account; STOP opts the sender out."""
    account = _holder(state, destination)
    message = Message(
        id=f"in{state.next('inbound', 5001)}",
        kind=kind,
        direction="in",
        source=source,
        destination=destination,
        text=text,
        rate=Decimal(0),
        at=state.clock.now(),
    )
    account.messages.append(message)
    if text.strip().upper() == "STOP":
        account.opted_out.add(source)
    return {"id": message.id}


@control("POST", "/calls", status=201)
def receive_call(
    state: State, *, source: str, destination: Tn, name: str, seconds: Annotated[int, Field(ge=0)] = 30
) -> Wire:
    """Let a stranger call a number on some account; the record carries the caller's name URL-encoded, as records do."""
    account = _holder(state, destination)
    call = CallRecord(
        id=f"{state.next('incoming call', 1):032x}",
        at=state.clock.now(),
        caller=source,
        called=destination,
        seconds=seconds,
        rate=account.rates["nibble"],
        name=quote(name),
        ip="203.0.113.10",
    )
    account.calls.append(call)
    return {"id": call.id}


@control("POST", "/gone")
def take_numbers(state: State, *, numbers: list[Tn]) -> Wire:
    """Let somebody else buy these numbers; cached searches still list them for ten minutes."""
    for number in numbers:
        state.inventory.take(number)
    return {"gone": numbers}


def _holder(state: State, number: str) -> Account:
    account = state.holder_of(number)
    if account is None:
        raise ControlError("the destination is on no account")
    return account


CONTROLS: tuple[Control, ...] = (set_cash, receive_message, receive_call, take_numbers)
