"""A call in progress: hang up, transfer, speak, play, record, send tones."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from sandbox.frame.inputs import Found
from sandbox.frame.wire import Answer, Refusal
from sandbox.routee.calling import move, place, stop_recording
from sandbox.routee.endpoint import REFERENCE, Call, operation
from sandbox.routee.fields import Positive
from sandbox.routee.operations.conversations import Gender, Language, NewCall, SpokenText, WavUrl
from sandbox.routee.voice_records import CallLeg
from sandbox.routee.wire import ok, refuse, timestamp

PATH = "/voice/conversation/{messageId}"


def _leg(call: Call) -> CallLeg:
    leg = call.state.calls.get(call.path["messageId"])
    if leg is None or not leg.conversation:
        raise refuse("404013003", "The call does not exist.")
    return leg


def _active_leg(call: Call) -> CallLeg:
    leg = _leg(call)
    if leg.status.name != "InProgress":
        raise _wrong_moment(leg)
    return leg


def _wrong_moment(leg: CallLeg) -> Refusal:
    # inferred: that a call has to be in a certain status is documented, the code is not
    return refuse("400013005", f"The call is {leg.status.name}.")


PathLeg = Annotated[CallLeg, Found(_leg)]
ActiveLeg = Annotated[CallLeg, Found(_active_leg)]


@operation("PUT", PATH, REFERENCE)
def end_call(call: Call, leg: PathLeg, *, action: Literal["hangup", "reject"]) -> Answer:
    """Hang up a call that is InProgress, or reject one that is Initiated or Ringing."""
    allowed = {"InProgress"} if action == "hangup" else {"Initiated", "Ringing"}
    if leg.status.name not in allowed:
        raise _wrong_moment(leg)
    move(call.state, leg, "Completed" if action == "hangup" else "NoAnswer")
    return _done(call, leg, f"The call was told to {action}.")


@operation("POST", f"{PATH}/transfer", REFERENCE, paid=True, inferred="the old call ends")
def transfer_call(call: Call, leg: ActiveLeg, body: NewCall) -> Answer:
    """Connect the other side with a new call, which is charged; the old one ends (inferred)."""
    body.to.check()
    onward = body.add_leg(call.state, call.state.conversations[leg.conversation], leg.application)
    move(call.state, leg, "Completed")
    place(call.state, onward)
    return _done(call, leg, "The call is being transferred.")


@operation("POST", f"{PATH}/talk", REFERENCE)
def start_talk(
    call: Call,
    leg: ActiveLeg,
    *,
    text: SpokenText,
    gender: Gender | None = None,
    language: Language | None = None,
    multiplex: bool = False,
) -> Answer:
    """Speak a text into the call."""
    return _play(call, leg, "talk")


@operation("DELETE", f"{PATH}/talk", REFERENCE)
def stop_talk(call: Call, leg: ActiveLeg) -> Answer:
    """Stop speaking."""
    return _stop_playing(call, leg, "talk")


@operation("POST", f"{PATH}/file", REFERENCE)
def start_file(call: Call, leg: ActiveLeg, *, fileURL: WavUrl, multiplex: bool = False) -> Answer:
    """Play a file into the call."""
    return _play(call, leg, "file")


@operation("DELETE", f"{PATH}/file", REFERENCE)
def stop_file(call: Call, leg: ActiveLeg) -> Answer:
    """Stop playing."""
    return _stop_playing(call, leg, "file")


@operation("POST", f"{PATH}/record", REFERENCE)
def start_record(
    call: Call, leg: ActiveLeg, *, duration: Positive | None = None, format_: Literal["MP3", "WAV"] = "MP3"
) -> Answer:
    """Record from now on."""
    if leg.recording_since is not None:
        raise _wrong_moment(leg)
    leg.recording_since = call.state.now()
    return _done(call, leg, "Recording started.")


@operation("DELETE", f"{PATH}/record", REFERENCE)
def stop_record(call: Call, leg: ActiveLeg) -> Answer:
    """Stop recording and keep what there is."""
    if leg.recording_since is None:
        raise _wrong_moment(leg)
    stop_recording(call.state, leg)
    return _done(call, leg, "Recording stopped.")


@operation("POST", f"{PATH}/dtmf", REFERENCE)
def send_dtmf(
    call: Call, leg: ActiveLeg, *, dtmf: Annotated[str, StringConstraints(pattern=r"^[A-D0-9#*,wW]+$")]
) -> Answer:
    """Send tones into the call."""
    return _done(call, leg, f"Sent {len(dtmf)} tones.")


def _play(call: Call, leg: CallLeg, kind: str) -> Answer:
    leg.playing = kind
    return _done(call, leg, f"Playing {kind}.")


def _stop_playing(call: Call, leg: CallLeg, kind: str) -> Answer:
    if leg.playing != kind:
        raise _wrong_moment(leg)
    leg.playing = ""
    return _done(call, leg, f"Stopped {kind}.")


def _done(call: Call, leg: CallLeg, message: str) -> Answer:
    return ok({"messageId": leg.id, "message": message, "createdAt": timestamp(call.state.now())})
