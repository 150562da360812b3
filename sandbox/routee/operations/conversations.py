"""Voice conversations: start one, show it, list its calls, fetch recordings."""

import struct
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, model_validator

from sandbox.routee.callbacks import Target
from sandbox.routee.calling import new_leg, place, require_callable, tracked
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import CallbackBody, PageQuery, Phone, Text, Url
from sandbox.routee.state import State
from sandbox.routee.voice_records import CallLeg, Conversation
from sandbox.routee.wire import Answer, Wire, ok, page_of, refused, timestamp

ONE_A_SECOND = timedelta(seconds=1)
"""Documented: one request a second; nothing else of Routee states a limit."""

SpokenText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Gender = Literal["male", "female"]
Language = Literal[
    "en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA", "en-GB", "el-GR", "bg-BG", "pl-PL", "hu-HU",
    "sv-SE", "ru-RU",
]  # fmt: skip
WavUrl = Annotated[str, StringConstraints(pattern=r"^https?://\S+\.wav$")]
Sip = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class DestinationBody(Body):
    """Who is called: one of the three."""

    phone: Phone | None = None
    sip: Sip | None = None
    viber: Phone | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "DestinationBody":
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of phone, sip and viber")
        return self

    def number(self) -> str:
        """The number or address."""
        return self.phone or self.viber or self.sip or ""


class MachineDetectionBody(Body):
    """What to do when a machine answers; `eventUrl` is for Continue only."""

    strategy: Literal["Hangup", "Continue"]
    eventUrl: Url | None = None

    @model_validator(mode="after")
    def _has_event_url_to_continue(self) -> "MachineDetectionBody":
        if (self.strategy == "Continue") != (self.eventUrl is not None):
            raise ValueError("eventUrl goes with the strategy Continue")
        return self


class SpeechBody(Body):
    """A text to be spoken."""

    text: SpokenText
    language: Language
    gender: Gender | None = None


class Say(Body):
    """Speak a text."""

    type: Literal["SAY"]
    message: SpeechBody
    bargeIn: bool = False
    repeat: int = Field(default=1, ge=1)


class Play(Body):
    """Play a file."""

    type: Literal["PLAY"]
    fileURL: WavUrl
    bargeIn: bool = False
    repeat: int = Field(default=1, ge=1)


class Dial(Body):
    """Connect with a second call, which is charged too (inferred)."""

    type: Literal["DIAL"]
    sender: Text = Field(alias="from")
    to: DestinationBody
    hangupDelay: int | None = Field(default=None, ge=1)
    maxDuration: int | None = Field(default=None, ge=1)
    callback: CallbackBody | None = None
    record: bool = False
    recordingFormat: Literal["WAV", "MP3"] = "MP3"
    recordingCallbackUrl: Url | None = None
    machineDetection: MachineDetectionBody | None = None


class Collect(Body):
    """Collect the keys that are pressed; nothing is posted to `eventUrl` here."""

    type: Literal["COLLECT"]
    eventUrl: Url
    maxDigits: int = Field(default=30, ge=1)
    submitOnHash: bool = False


class DialPlanBody(Body):
    """What happens once the call is answered."""

    verbs: list[Annotated[Say | Play | Dial | Collect, Discriminator("type")]] = Field(min_length=1)

    @model_validator(mode="after")
    def _dials_once(self) -> "DialPlanBody":
        if sum(isinstance(verb, Dial) for verb in self.verbs) > 1:
            raise ValueError("at most one DIAL")
        return self


class ConversationBody(Body):
    """Body of `POST /voice/conversation`; the dialplan is given or its address is."""

    to: DestinationBody
    sender: Text = Field(alias="from")
    dialPlan: DialPlanBody | None = None
    dialPlanUrl: Url | None = None
    callback: CallbackBody | None = None
    hangupDelay: int | None = Field(default=None, ge=1, le=60)
    maxDuration: int | None = Field(default=None, ge=1)
    machineDetection: MachineDetectionBody | None = None

    @model_validator(mode="after")
    def _has_one_dialplan(self) -> "ConversationBody":
        if (self.dialPlan is None) == (self.dialPlanUrl is None):
            raise ValueError("give either dialPlan or dialPlanUrl")
        return self


def start_conversation(call: Call, body: ConversationBody) -> Answer:
    """Call somebody; the answer has no price and calls its dialplans by the plural, as the sample does."""
    state = call.state
    if state.last_conversation is not None and state.now() - state.last_conversation < ONE_A_SECOND:
        # inferred: the limit is documented, the answer beyond it is not
        raise refused("429013000", "Too many requests: one a second.")
    _check_destinations(body)
    state.last_conversation = state.now()
    conversation = Conversation(state.new_id("conversation"), _request_wire(body), state.now())
    state.conversations[conversation.id] = conversation
    leg = new_leg(state, body.sender, body.to.number(), call.application.name, _target(body.callback))
    leg.conversation = conversation.id
    leg.hangup_delay = body.hangupDelay
    leg.detect_machine = body.machineDetection.strategy if body.machineDetection else ""
    if body.maxDuration is not None:
        leg.talk = min(leg.talk, timedelta(seconds=body.maxDuration))
    conversation.legs.append(leg)
    place(state, leg)
    for verb in body.dialPlan.verbs if body.dialPlan else ():
        _follow(state, conversation, leg, verb)
    return ok(_wire(conversation))


def show_conversation(call: Call) -> Answer:
    """A conversation with its recordings."""
    conversation = _known(call)
    return ok(_wire(conversation) | {"recordings": [recording.to_wire() for recording in conversation.recordings()]})


def list_dials(call: Call, query: PageQuery) -> Answer:
    """The calls of a conversation with their prices."""
    return page_of([tracked(leg) for leg in _known(call).legs], query.page, query.size)


def download_recording(call: Call) -> Answer:
    """The sound itself: a silent WAV file whatever its format was meant to be (inferred)."""
    recording = call.state.recordings.get(call.path["recordingTrackingId"])
    if recording is None:
        raise refused("404013004", "The recording does not exist.")
    return Answer(200, _silence(), media_type="audio/wav")


def _follow(state: State, conversation: Conversation, leg: CallLeg, verb: Say | Play | Dial | Collect) -> None:
    """Let a verb have its effect soon after the call is answered."""
    if isinstance(verb, Collect):
        state.agenda.at(state.now() + timedelta(seconds=8), partial(_press_keys, leg))
    if isinstance(verb, Dial):
        state.agenda.at(state.now() + timedelta(seconds=6), partial(_dial, state, conversation, leg, verb))


def _press_keys(leg: CallLeg) -> None:
    if leg.answered is not None:
        leg.tones = "1"


def _dial(state: State, conversation: Conversation, first: CallLeg, verb: Dial) -> None:
    if first.status.name != "InProgress":
        return
    leg = new_leg(state, verb.sender, verb.to.number(), first.application, _target(verb.callback))
    leg.conversation = conversation.id
    leg.hangup_delay = verb.hangupDelay
    leg.record_whole, leg.recording_kind = verb.record, verb.recordingFormat
    if verb.maxDuration is not None:
        leg.talk = min(leg.talk, timedelta(seconds=verb.maxDuration))
    conversation.legs.append(leg)
    place(state, leg)


def _check_destinations(body: ConversationBody) -> None:
    verbs = body.dialPlan.verbs if body.dialPlan else []
    for destination in (body.to, *(verb.to for verb in verbs if isinstance(verb, Dial))):
        if destination.sip is None:
            require_callable(destination.number())


def _known(call: Call) -> Conversation:
    conversation = call.state.conversations.get(call.path["conversationTrackingId"])
    if conversation is None:
        raise refused("404013002", "The conversation does not exist.")
    return conversation


def _target(callback: CallbackBody | None) -> Target | None:
    return callback.target() if callback else None


def _request_wire(body: ConversationBody) -> Wire:
    wire: Wire = body.model_dump(by_alias=True, exclude_none=True, exclude={"dialPlan"})
    if body.dialPlan is not None:
        wire["dialPlans"] = [body.dialPlan.model_dump(by_alias=True, exclude_none=True)]
    return wire


def _wire(conversation: Conversation) -> Wire:
    return {
        "trackingId": conversation.id,
        "direction": "Outbound",
        "createdAt": timestamp(conversation.created),
        **conversation.request,
    }


def _silence() -> bytes:
    samples = bytes(800)
    chunk = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunk), b"WAVE") + chunk
