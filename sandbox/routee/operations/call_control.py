"""A call that is on: hang up, transfer, speak, play, record, send tones."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from sandbox.routee.calling import move, new_leg, place, require_callable, stop_recording
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import CallbackBody, Text
from sandbox.routee.operations.conversations import DestinationBody, Gender, Language, SpokenText, WavUrl
from sandbox.routee.voice_records import CallLeg
from sandbox.routee.wire import Answer, ok, refused, timestamp


class ActionBody(Body):
    """Body of `PUT /voice/conversation/{messageId}`."""

    action: Literal["hangup", "reject"]


class TransferBody(Body):
    """Body of the transfer."""

    sender: Text = Field(alias="from")
    to: DestinationBody
    hangupDelay: int | None = Field(default=None, ge=1)
    maxDuration: int | None = Field(default=None, ge=1)
    callback: CallbackBody | None = None


class TalkBody(Body):
    """A text to be spoken now."""

    text: SpokenText
    gender: Gender | None = None
    language: Language | None = None
    multiplex: bool = False


class FileBody(Body):
    """A file to be played now."""

    fileURL: WavUrl
    multiplex: bool = False


class RecordBody(Body):
    """How to record."""

    duration: int | None = Field(default=None, ge=1)
    format: Literal["MP3", "WAV"] = "MP3"


class DtmfBody(Body):
    """Tones to send."""

    dtmf: str = Field(pattern=r"^[A-D0-9#*,wW]+$")


def end_call(call: Call, body: ActionBody) -> Answer:
    """Hang up a call that is InProgress, or reject one that is Initiated or Ringing."""
    leg = _leg(call)
    allowed = {"InProgress"} if body.action == "hangup" else {"Initiated", "Ringing"}
    if leg.status.name not in allowed:
        raise _wrong_moment(leg)
    move(call.state, leg, "Completed" if body.action == "hangup" else "NoAnswer")
    return _done(call, leg, f"The call was told to {body.action}.")


def transfer_call(call: Call, body: TransferBody) -> Answer:
    """Connect the other side with a new call, which is charged; the old one ends (inferred)."""
    leg = _active(call)
    if body.to.sip is None:
        require_callable(body.to.number())
    state = call.state
    target = body.callback.target() if body.callback else None
    onward = new_leg(state, body.sender, body.to.number(), leg.application, target)
    onward.conversation = leg.conversation
    onward.hangup_delay = body.hangupDelay
    if body.maxDuration is not None:
        onward.talk = min(onward.talk, timedelta(seconds=body.maxDuration))
    state.conversations[leg.conversation].legs.append(onward)
    move(state, leg, "Completed")
    place(state, onward)
    return _done(call, leg, "The call is being transferred.")


def start_talk(call: Call, body: TalkBody) -> Answer:
    """Speak a text into the call."""
    return _play(call, "talk")


def stop_talk(call: Call) -> Answer:
    """Stop speaking."""
    return _stop_playing(call, "talk")


def start_file(call: Call, body: FileBody) -> Answer:
    """Play a file into the call."""
    return _play(call, "file")


def stop_file(call: Call) -> Answer:
    """Stop playing."""
    return _stop_playing(call, "file")


def start_record(call: Call, body: RecordBody) -> Answer:
    """Record from now on."""
    leg = _active(call)
    if leg.recording_since is not None:
        raise _wrong_moment(leg)
    leg.recording_since, leg.recording_kind = call.state.now(), body.format
    return _done(call, leg, "Recording started.")


def stop_record(call: Call) -> Answer:
    """Stop recording and keep what there is."""
    leg = _active(call)
    if leg.recording_since is None:
        raise _wrong_moment(leg)
    stop_recording(call.state, leg)
    return _done(call, leg, "Recording stopped.")


def send_dtmf(call: Call, body: DtmfBody) -> Answer:
    """Send tones into the call."""
    return _done(call, _active(call), f"Sent {len(body.dtmf)} tones.")


def _play(call: Call, kind: str) -> Answer:
    leg = _active(call)
    leg.playing = kind
    return _done(call, leg, f"Playing {kind}.")


def _stop_playing(call: Call, kind: str) -> Answer:
    leg = _active(call)
    if leg.playing != kind:
        raise _wrong_moment(leg)
    leg.playing = ""
    return _done(call, leg, f"Stopped {kind}.")


def _leg(call: Call) -> CallLeg:
    leg = call.state.calls.get(call.path["messageId"])
    if leg is None or not leg.conversation:
        raise refused("404013003", "The call does not exist.")
    return leg


def _active(call: Call) -> CallLeg:
    leg = _leg(call)
    if leg.status.name != "InProgress":
        raise _wrong_moment(leg)
    return leg


def _wrong_moment(leg: CallLeg) -> Exception:
    # inferred: that a call has to be in a certain status is documented, the code is not
    return refused("400013005", f"The call is {leg.status.name}.")


def _done(call: Call, leg: CallLeg, message: str) -> Answer:
    return ok({"messageId": leg.id, "message": message, "createdAt": timestamp(call.state.now())})
