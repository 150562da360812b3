"""What the outside world does to the account: callers ring, people text, tokens die, numbers go."""

from typing import Annotated, Literal

from pydantic import Field

from sandbox.convirza.fields import BareNumber, e164
from sandbox.convirza.records import CallRecord, SmsConversation
from sandbox.convirza.state import PRICES, State
from sandbox.frame.controls import Control, ControlError, control
from sandbox.frame.wire import Wire

Disposition = Literal["ANSWERED", "NO ANSWER", "BUSY", "VOICEMAIL", "ABANDONED", "TRANSFERRED"]


@control("POST", "/calls", status=201)
def receive_call(
    state: State,
    *,
    phone_number: BareNumber,
    caller: BareNumber,
    caller_name: str = "UNKNOWN",
    seconds: Annotated[int, Field(ge=0)] = 60,
    disposition: Disposition = "ANSWERED",
    transcription: str | None = None,
) -> Wire:
    """Let a call come in; it goes where the route says now, and fails where no active route answers.

    It is charged by the started minute.
    """
    number = state.number_named(phone_number)
    route = None if number is None else state.routes.get(number.route_id or 0)
    if route is None:
        raise ControlError("no route has this number")
    config = route.body.config
    agent = state.voice_agents.get(config.voice_agent_id or 0) if route.body.uses_voice_agent else None
    dead = route.body.provisioned_route_status == "inactive" or (
        agent is None and (route.body.uses_voice_agent or not config.ringto)
    )
    record = CallRecord(
        id=state.next("call", 7700101),
        org_unit_id=route.org_unit_id,
        route_id=route.id,
        route_name=route.body.provisioned_route_name,
        caller=e164(caller),
        caller_name=caller_name,
        phone_number=e164(phone_number),
        ring_to=e164(config.ringto) if config.ringto else "",
        started=state.clock.now(),
        seconds=0 if dead else seconds,
        disposition="FAILED" if dead else disposition,
        recorded=config.record_call and not dead,
        transcription=None if dead else transcription,
    )
    state.calls[record.id] = record
    if minutes := -(-record.seconds // 60):
        what = "voice_agent" if agent else "tracking"
        state.write_charge(f"{what}_minutes", minutes, PRICES[f"{what}_minute"] * minutes, f"call-{record.id}")
    return {"call_id": record.id, "disposition": record.disposition, "ring_to": record.ring_to}


@control("POST", "/texts", status=201)
def receive_text(
    state: State, *, phone_number: BareNumber, source: BareNumber, source_name: str = "", text: str
) -> Wire:
    """Let a text come in as a conversation of its own; STOP opts the sender out of broadcasts."""
    number = state.number_named(phone_number)
    if number is None:
        raise ControlError("the number is not on the account")
    now = state.clock.now()
    thread = SmsConversation(
        id=state.next("sms", 987661),
        org_unit_id=number.org_unit_id,
        phone_number=f"1{phone_number}",
        source=f"1{source}",
        source_name=source_name,
        message=text,
        started=now,
        updated=now,
        unread=1,
    )
    state.sms[thread.id] = thread
    if text.strip().upper() == "STOP":
        state.opted_out.add(e164(source))
    return {"conversation_id": thread.id}


@control("POST", "/gone")
def take_numbers(state: State, *, numbers: list[BareNumber]) -> Wire:
    """Let somebody else order these carrier numbers."""
    return {"gone": [number for number in numbers if state.carrier.take(number)]}


@control("POST", "/expire-access-tokens")
def expire_access_tokens(state: State) -> Wire:
    """End every access token at once; refresh tokens stay usable."""
    return {"expired": state.sessions.expire_access()}


CONTROLS: tuple[Control, ...] = (receive_call, receive_text, take_numbers, expire_access_tokens)
