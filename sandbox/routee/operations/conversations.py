"""Voice conversations: start one, show it, list its calls, fetch recordings."""

import struct
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, model_validator

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer, Wire
from sandbox.routee.calling import new_leg, place, require_callable, track
from sandbox.routee.endpoint import PAGE, REFERENCE, Call, in_path, operation
from sandbox.routee.fields import MessageCallback, PageQuery, Phone, Positive, Text, Url
from sandbox.routee.state import State
from sandbox.routee.voice_records import CallLeg, Conversation, Recording
from sandbox.routee.wire import ok, refuse, timestamp

ONE_A_SECOND = timedelta(seconds=1)
"""Documented: one request a second; nothing else of Routee states a limit."""

SpokenText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Gender = Literal["male", "female"]
Language = Literal[
    "en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA", "en-GB", "el-GR", "bg-BG", "pl-PL", "hu-HU",
    "sv-SE", "ru-RU",
]  # fmt: skip
WavUrl = Annotated[str, StringConstraints(pattern=r"^https?://\S+\.(wav|WAV)(\?\S*)?$")]
Sip = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]

PathConversation = Annotated[Conversation, in_path("conversations", "404013002", "The conversation does not exist.")]
PathRecording = Annotated[Recording, in_path("recordings", "404013004", "The recording does not exist.")]


class Destination(Body):
    """Who is called: one of the three."""

    phone: Phone | None = None
    sip: Sip | None = None
    viber: Phone | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Destination":
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of phone, sip and viber")
        return self

    def number(self) -> str:
        """Return the number or address."""
        return self.phone or self.viber or self.sip or ""

    def check(self) -> None:
        """Check that it can be called.

        Raises:
            Refusal: 400013001 for a number that cannot.
        """
        if self.sip is None:
            require_callable(self.number())


class MachineDetection(Body):
    """What to do when a machine answers; `eventUrl` is for Continue only."""

    strategy: Literal["Hangup", "Continue"]
    eventUrl: Url | None = None

    @model_validator(mode="after")
    def _has_event_url_to_continue(self) -> "MachineDetection":
        if (self.strategy == "Continue") != (self.eventUrl is not None):
            raise ValueError("eventUrl goes with the strategy Continue")
        return self


class NewCall(Body):
    """What every request for a call has; delay and duration are in seconds."""

    sender: Text = Field(alias="from")
    to: Destination
    hangupDelay: Positive | None = None
    maxDuration: Positive | None = None
    callback: MessageCallback | None = None

    def add_leg(self, state: State, conversation: Conversation, application: str) -> CallLeg:
        """Add the call to a conversation; it is not placed yet."""
        leg = new_leg(state, self.sender, self.to.number(), application, self.callback)
        leg.conversation = conversation.id
        leg.hangup_delay = self.hangupDelay
        if self.maxDuration is not None:
            leg.talk = min(leg.talk, timedelta(seconds=self.maxDuration))
        conversation.legs.append(leg)
        return leg


class Speech(Body):
    """A text to be spoken."""

    text: SpokenText
    language: Language
    gender: Gender | None = None


class Say(Body):
    """Speak a text."""

    type: Literal["SAY"]
    message: Speech
    bargeIn: bool = False
    repeat: Positive = 1


class Play(Body):
    """Play a file."""

    type: Literal["PLAY"]
    fileURL: WavUrl
    bargeIn: bool = False
    repeat: Positive = 1


class Dial(NewCall):
    """Connect with a second call, which is charged too (inferred)."""

    type: Literal["DIAL"]
    record: bool = False
    recordingFormat: Literal["WAV", "MP3"] = "MP3"
    recordingCallbackUrl: Url | None = None
    machineDetection: MachineDetection | None = None


class Collect(Body):
    """Collect the keys that are pressed; nothing is posted to `eventUrl` here."""

    type: Literal["COLLECT"]
    eventUrl: Url
    maxDigits: Positive = 30
    submitOnHash: bool = False


class DialPlan(Body):
    """What happens once the call is answered."""

    verbs: list[Annotated[Say | Play | Dial | Collect, Discriminator("type")]] = Field(min_length=1)

    @model_validator(mode="after")
    def _dials_once(self) -> "DialPlan":
        if sum(isinstance(verb, Dial) for verb in self.verbs) > 1:
            raise ValueError("at most one DIAL")
        return self


class ConversationBody(NewCall):
    """Body of `POST /voice/conversation`; the dialplan is given or its address is."""

    dialPlan: DialPlan | None = None
    dialPlanUrl: Url | None = None
    hangupDelay: Annotated[int, Field(ge=1, le=60)] | None = None
    machineDetection: MachineDetection | None = None

    @model_validator(mode="after")
    def _has_one_dialplan(self) -> "ConversationBody":
        if (self.dialPlan is None) == (self.dialPlanUrl is None):
            raise ValueError("give either dialPlan or dialPlanUrl")
        return self


@operation("POST", "/voice/conversation", PAGE, paid=True, inferred="429 beyond one a second; all error codes")
def start_conversation(call: Call, body: ConversationBody) -> Answer:
    """Call somebody; the answer has no price and calls its dialplans by the plural, as the sample does."""
    state = call.state
    if state.last_conversation is not None and state.now() - state.last_conversation < ONE_A_SECOND:
        # inferred: the limit is documented, the answer beyond it is not
        raise refuse("429013000", "Too many requests: one a second.")
    verbs = body.dialPlan.verbs if body.dialPlan else []
    for destination in (body.to, *(verb.to for verb in verbs if isinstance(verb, Dial))):
        destination.check()
    state.last_conversation = state.now()
    request: Wire = body.model_dump(by_alias=True, exclude_none=True, exclude={"dialPlan"})
    if body.dialPlan is not None:
        request["dialPlans"] = [body.dialPlan.model_dump(by_alias=True, exclude_none=True)]
    conversation = Conversation(state.new_id("conversation"), request, state.now())
    state.conversations[conversation.id] = conversation
    leg = body.add_leg(state, conversation, call.application.name)
    leg.detect_machine = body.machineDetection.strategy if body.machineDetection else ""
    place(state, leg)
    for verb in verbs:
        if isinstance(verb, Collect):
            state.agenda.at(state.now() + timedelta(seconds=8), partial(_press_keys, leg))
        if isinstance(verb, Dial):
            state.agenda.at(state.now() + timedelta(seconds=6), partial(_dial, state, conversation, leg, verb))
    return ok(_to_wire(conversation))


@operation("GET", "/voice/conversation/{conversationTrackingId}", PAGE)
def show_conversation(call: Call, conversation: PathConversation) -> Answer:
    """Show a conversation with its recordings."""
    return ok(_to_wire(conversation) | {"recordings": conversation.recordings()})


@operation("GET", "/voice/tracking/conversation/{conversationTrackingId}", PAGE, inferred="page and size")
def list_dials(call: Call, conversation: PathConversation, query: PageQuery) -> Answer:
    """List the calls of a conversation with their prices."""
    return query.answer([track(leg) for leg in conversation.legs])


@operation(
    "GET", "/recordings/my/downloads/{recordingTrackingId}", REFERENCE, inferred="the answer is the sound itself"
)
def download_recording(call: Call, recording: PathRecording) -> Answer:
    """Answer the sound itself: a silent WAV file whatever its format was meant to be (inferred)."""
    return Answer(200, _silence(), media_type="audio/wav")


def _press_keys(leg: CallLeg) -> None:
    if leg.answered is not None:
        leg.tones = "1"


def _dial(state: State, conversation: Conversation, first: CallLeg, verb: Dial) -> None:
    if first.status.name == "InProgress":
        leg = verb.add_leg(state, conversation, first.application)
        leg.record_whole = verb.record
        place(state, leg)


def _to_wire(conversation: Conversation) -> Wire:
    created = timestamp(conversation.created)
    return {"trackingId": conversation.id, "direction": "Outbound", "createdAt": created, **conversation.request}


def _silence() -> bytes:
    samples = bytes(800)
    chunk = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunk), b"WAVE") + chunk
