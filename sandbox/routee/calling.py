"""How a call rings, is answered, is charged by the second, and ends."""

import math
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from functools import partial
from typing import Any

from sandbox.frame.wire import Wire
from sandbox.routee.fields import Callback
from sandbox.routee.networks import is_callable, require_country, voice_price
from sandbox.routee.records import Status
from sandbox.routee.state import State
from sandbox.routee.voice_records import CallLeg, Recording
from sandbox.routee.wire import refuse

INITIATED_AFTER = timedelta(seconds=1)
RINGING_AFTER = timedelta(seconds=2)
ANSWERED_AFTER = timedelta(seconds=5)
RINGS_FOR = timedelta(seconds=30)
"""inferred: how long a call rings that nobody answers, if hangupDelay does not say."""

UNANSWERED = {"0011": "Busy", "0012": "NoAnswer", "0013": "Failed"}
"""What becomes of calls to numbers that end like this; all others are answered and last 30 seconds."""
MACHINE = "0014"
"""Numbers that end like this are answered by a machine."""
ENDLESS = "0015"
"""Calls to numbers that end like this last until they are hung up, or an hour."""
LONGEST = timedelta(hours=1)
_CENTIMIL = Decimal("0.00001")


def require_callable(number: str) -> None:
    """Check that a number can be called.

    Raises:
        Refusal: 400013001 (the module is documented, the last three digits are inferred).
    """
    if not is_callable(number):
        raise refuse("400013001", f"{number} is not a valid phone number.")


def new_leg(state: State, sender: str, to: str, application: str, callback: Callback[Any] | None) -> CallLeg:
    """Return a call that is not placed yet; a SIP address costs what a landline in Greece costs (inferred)."""
    known = is_callable(to)
    return CallLeg(
        id=state.new_id("call"),
        sender=sender,
        to=to,
        country=require_country(to).iso if known else "GR",
        per_minute=voice_price(to) if known else Decimal("0.0250"),
        created=state.now(),
        status=Status("Queued", state.now()),
        application=application,
        callback=callback,
        talk=LONGEST if to.endswith(ENDLESS) else timedelta(seconds=30),
    )


def place(state: State, leg: CallLeg) -> None:
    """Place a call; without any balance it ends as Unsent (documented for voice)."""
    state.calls[leg.id] = leg
    if state.balance < leg.per_minute / 60:
        move(state, leg, "Unsent")
        return
    _report(state, leg)
    start = state.now()
    _unless_over(state, leg, start + INITIATED_AFTER, partial(move, state, leg, "Initiated"))
    outcome = UNANSWERED.get(leg.to[-4:])
    if outcome == "Failed":
        _unless_over(state, leg, start + RINGING_AFTER, partial(move, state, leg, outcome))
        return
    _unless_over(state, leg, start + RINGING_AFTER, partial(move, state, leg, "Ringing"))
    if outcome == "NoAnswer":
        rings = RINGS_FOR if leg.hangup_delay is None else timedelta(seconds=leg.hangup_delay)
        _unless_over(state, leg, start + RINGING_AFTER + rings, partial(move, state, leg, outcome))
    elif outcome is not None:
        _unless_over(state, leg, start + ANSWERED_AFTER, partial(move, state, leg, outcome))
    else:
        _unless_over(state, leg, start + ANSWERED_AFTER, partial(_answer, state, leg))


def move(state: State, leg: CallLeg, status: str) -> None:
    """Put a call into a status; when that ends it, charge what it took."""
    leg.status = Status(status, state.now())
    if leg.final:
        leg.ended = state.now()
        _charge(state, leg)
        if leg.record_whole and leg.answered is not None:
            leg.recording_since = leg.answered
        stop_recording(state, leg)
    _report(state, leg)


def stop_recording(state: State, leg: CallLeg) -> None:
    """Keep what was recorded up to now, if anything is being recorded."""
    if leg.recording_since is None:
        return
    recording = Recording(state.new_id("recording"), leg, leg.recording_since, state.now())
    leg.recordings.append(recording)
    leg.recording_since = None
    state.recordings[recording.id] = recording


def track(leg: CallLeg) -> Wire:
    """Return a call as trackings show it."""
    wire: Wire = {
        "messageId": leg.id,
        "applicationName": leg.application,
        "country": leg.country,
        "from": leg.sender,
        "to": leg.to,
        "direction": "Outbound",
        "duration": leg.duration,
        "price": leg.price,
        "chargeInterval": 1,
        "status": leg.status.to_tracking(),
        "originatingService": "Voice",
        "answeredBy": leg.answered_by,
        "collectedTones": leg.tones,
        "recordings": [recording.to_wire() for recording in leg.recordings],
    }
    if leg.conversation:
        wire["conversationTrackingId"] = leg.conversation
    else:
        wire |= {"message": leg.message, "groups": leg.groups}
    if leg.campaign is not None:
        wire |= {"campaign": leg.campaign.name, "campaignTrackingId": leg.campaign.id}
    return wire


def _answer(state: State, leg: CallLeg) -> None:
    """Answer the call and plan its end: when the talk is over, or when the balance is used up."""
    leg.answered = state.now()
    machine = leg.to.endswith(MACHINE)
    leg.answered_by = "MACHINE" if machine else "HUMAN"
    move(state, leg, "InProgress")
    talk = timedelta(seconds=1) if machine and leg.detect_machine == "Hangup" else leg.talk
    affordable = timedelta(seconds=math.floor(state.balance * 60 / leg.per_minute))
    end = "Completed" if talk <= affordable else "Terminated"
    _unless_over(state, leg, state.now() + min(talk, affordable), partial(move, state, leg, end))


def _charge(state: State, leg: CallLeg) -> None:
    """Charge whole seconds; never more than there is, since other calls may have used the balance."""
    if not leg.duration:
        return
    price = (leg.per_minute * leg.duration / 60).quantize(_CENTIMIL, ROUND_UP)
    leg.price = min(price, state.balance)
    state.pay("voice_seconds", leg.duration, leg.price, leg.id)


def _unless_over(state: State, leg: CallLeg, moment: datetime, happen: partial[None]) -> None:
    def unless_over() -> None:
        if not leg.final:
            happen()

    state.agenda.at(moment, unless_over)


def _report(state: State, leg: CallLeg) -> None:
    """Post the status of a call, if somebody wants it."""
    payload: Wire = {
        "messageId": leg.id,
        "to": leg.to,
        "from": leg.sender,
        "status": leg.status.to_callback(),
        "direction": "Outbound",
        "originatingService": "Voice",
        "respectQuietHours": bool(leg.campaign and leg.campaign.request["respectQuietHours"]),
        "duration": leg.duration,
        "price": leg.price,
    }
    if leg.conversation:
        payload["conversationTrackingId"] = leg.conversation
    state.outbox.report("call report", leg.callback, leg.final, payload)
