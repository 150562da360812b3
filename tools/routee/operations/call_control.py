"""Routee calls that are on: hang up, transfer, speak, play, record, send tones.

The public reference names the bodies; the pages themselves were not read.
"""

from typing import Any, Final, Literal

from pydantic import Field

from clients.effects import Charge, Effect
from clients.fields import AnsweredTime
from clients.operation import Answer, Operation, Undo, wire_fields
from tools.routee.calls import Callee, SpokenText, called_numbers, callee
from tools.routee.client import routee
from tools.routee.field_types import Gender, HttpsUrl, Id, Language, Sender, WavUrl, callback, without_none
from tools.routee.grades import SEEN

NO_CONTINUATION: Final = "It cannot be continued where it was stopped, only started again."
NO_RESUME: Final = "A call that has ended cannot be resumed."


class CallAnswer(Answer):
    """What Routee did with the call."""

    call_id: str | None = Field(default=None, alias="messageId")
    message: str | None = None
    created_at: AnsweredTime | None = None


@routee.operation(
    "PUT",
    "/voice/conversation/{call_id}",
    effect=Effect.DESTRUCTIVE,
    subject="End call {call_id} ({action})",
    toolset="voice",
    docs="hangupreject-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="that a call has ended does not show what ended it",
    synonyms=("hang up", "reject", "terminate", "stop the call"),
)
class EndCall(Operation[CallAnswer]):
    """Hang up a call in progress, or reject one that rings."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    action: Literal["hangup", "reject"]
    """`reject` for a call not answered yet."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RESUME)


@routee.operation(
    "POST",
    "/voice/conversation/{call_id}/transfer",
    effect=Effect.PAID | Effect.REROUTES | Effect.OUTWARD,
    subject="Connect call {call_id} to {to}",
    toolset="voice",
    docs="transfer-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows transfers",
    synonyms=("connect", "forward", "hand over", "put through"),
)
class TransferCall(Operation[CallAnswer]):
    """Connect a call in progress to somebody else, by a new call that is billed."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    to: Callee
    """Number, or SIP address."""

    sender: Sender = Field(serialization_alias="from")
    """Caller id of the new call."""

    hangup_delay: int | None = Field(default=None, ge=1)
    """Seconds to wait for an answer."""

    max_duration: int | None = Field(default=None, ge=1)
    """Longest seconds."""

    callback_url: HttpsUrl | None = None
    """Where Routee posts the call's status."""

    callback_final_only: bool | None = None
    """Post only the final status."""

    def charge(self) -> Charge:
        return Charge(item="call", rate="call")

    def destinations(self) -> tuple[str, ...]:
        return called_numbers(self.to)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RESUME)

    def to_wire(self) -> dict[str, Any]:
        return wire_fields(self, exclude=frozenset({"callback_url", "callback_final_only"})) | without_none(
            to=callee(self.to), callback=callback(self.callback_url, final_only=self.callback_final_only)
        )


@routee.operation(
    "POST",
    "/voice/conversation/{call_id}/talk",
    effect=Effect.OUTWARD,
    subject="Speak a text into call {call_id}",
    toolset="voice",
    docs="start-playing-a-text-to-speech-message-to-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows what was spoken",
    synonyms=("say", "announce", "text to speech", "talk"),
)
class SpeakInCall(Operation[CallAnswer]):
    """Speak a text into a call in progress."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    text: SpokenText
    """What to say."""

    language: Language | None = None
    """Its language."""

    gender: Gender | None = None
    """The voice."""

    multiplex: bool | None = None
    """Mix with what is heard."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="partial",
            operation=StopSpeakingInCall(call_id=self.call_id),
            lost="What was already spoken stays heard.",
        )


@routee.operation(
    "DELETE",
    "/voice/conversation/{call_id}/talk",
    effect=Effect.DESTRUCTIVE,
    subject="Stop the text that is spoken into call {call_id}",
    toolset="voice",
    docs="stop-playing-a-text-to-speech-message-to-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows what is being spoken",
    synonyms=("silence", "mute announcement"),
)
class StopSpeakingInCall(Operation[CallAnswer]):
    """Stop the text that is being spoken into a call."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_CONTINUATION)


@routee.operation(
    "POST",
    "/voice/conversation/{call_id}/file",
    effect=Effect.OUTWARD,
    subject="Play {file_url} into call {call_id}",
    toolset="voice",
    docs="start-playing-an-audio-file-to-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows what was played",
    synonyms=("music", "audio", "wav", "sound"),
)
class PlayInCall(Operation[CallAnswer]):
    """Play a WAV file into a call in progress."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    file_url: WavUrl = Field(serialization_alias="fileURL")
    """Address of the file."""

    multiplex: bool | None = None
    """Mix with what is heard."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="partial",
            operation=StopPlayingInCall(call_id=self.call_id),
            lost="What was already played stays heard.",
        )


@routee.operation(
    "DELETE",
    "/voice/conversation/{call_id}/file",
    effect=Effect.DESTRUCTIVE,
    subject="Stop the file that is played into call {call_id}",
    toolset="voice",
    docs="stop-playing-an-audio-file-to-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows what is being played",
    synonyms=("silence", "music off"),
)
class StopPlayingInCall(Operation[CallAnswer]):
    """Stop the file that is being played into a call."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_CONTINUATION)


@routee.operation(
    "POST",
    "/voice/conversation/{call_id}/record",
    effect=Effect.PRIVILEGED,
    subject="Record call {call_id}",
    toolset="voice",
    docs="start-recording-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows what is being recorded",
    synonyms=("tape", "capture"),
)
class StartRecording(Operation[CallAnswer]):
    """Record a call in progress; the law may want the other side's consent."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    duration: int | None = Field(default=None, ge=1)
    """Longest seconds."""

    format: Literal["MP3", "WAV"] = "MP3"
    """Format of the file."""

    def warnings(self) -> tuple[str, ...]:
        return ("Recording somebody who did not agree to it breaks the law in many places.",)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="partial", operation=StopRecording(call_id=self.call_id), lost="What was recorded is kept.")


@routee.operation(
    "DELETE",
    "/voice/conversation/{call_id}/record",
    effect=Effect.PRIVILEGED,
    subject="Stop recording call {call_id}",
    toolset="voice",
    docs="stop-recording-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows what is being recorded",
    synonyms=("end recording",),
)
class StopRecording(Operation[CallAnswer]):
    """Stop recording a call and keep what there is."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="partial",
            operation=StartRecording(call_id=self.call_id),
            lost="What is said until then is not recorded, and the rest is another file.",
        )


@routee.operation(
    "POST",
    "/voice/conversation/{call_id}/dtmf",
    effect=Effect.PRIVILEGED | Effect.OUTWARD,
    subject="Send key tones into call {call_id}",
    toolset="voice",
    docs="send-dtmf-tones-to-an-active-call",
    basis=SEEN,
    confirmed_by=("call_id",),
    unverifiable="no call shows keys that were sent",
    synonyms=("dtmf", "press", "keypad", "digits", "ivr"),
)
class SendTones(Operation[CallAnswer]):
    """Send key tones into a call in progress."""

    call_id: Id
    """`call_id` from routee_list_conversation_calls."""

    tones: str = Field(pattern=r"^[A-D0-9#*,wW]+$", serialization_alias="dtmf")
    """Keys to press; w waits."""

    def warnings(self) -> tuple[str, ...]:
        return ("Keys act as whoever is on the call: they enter PINs, confirm payments and switch calls.",)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A key that was pressed cannot be undone.")
