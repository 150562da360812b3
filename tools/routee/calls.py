"""Parts of a call: who is called, and what is said, played, dialled and collected once it is answered."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clients.fields import E164, AnsweredTime, LooseText
from clients.operation import Answer
from tools.routee.paging import Page
from tools.routee.shapes import Gender, HttpsUrl, Language, Status, Text, WavUrl, given

SpokenText = Annotated[str, Field(min_length=1, max_length=1000)]

Sip = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]

_NEEDED: Mapping[str, frozenset[str]] = {
    "SAY": frozenset({"text", "language"}),
    "PLAY": frozenset({"file_url"}),
    "DIAL": frozenset({"sender", "to"}),
    "COLLECT": frozenset({"event_url"}),
}
_ALLOWED: Mapping[str, frozenset[str]] = {
    "SAY": frozenset({"text", "language", "gender", "barge_in", "repeat"}),
    "PLAY": frozenset({"file_url", "barge_in", "repeat"}),
    "DIAL": frozenset({"sender", "to", "hangup_delay", "max_duration", "record", "recording_format"}),
    "COLLECT": frozenset({"event_url", "max_digits", "submit_on_hash"}),
}


class Verb(BaseModel):
    """One step of a dialplan. Routee's verbs have fields of their own; here they are flat, and checked by verb."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: Literal["SAY", "PLAY", "DIAL", "COLLECT"]

    text: SpokenText | None = None
    """SAY: what to say."""

    language: Language | None = None
    """SAY: its language."""

    gender: Gender | None = None
    """SAY: the voice."""

    file_url: WavUrl | None = None
    """PLAY: a WAV file."""

    barge_in: bool | None = None
    """SAY, PLAY: keys interrupt it."""

    repeat: int | None = Field(default=None, ge=1)
    """SAY, PLAY: times."""

    sender: Text | None = None
    """DIAL: caller id of the second call."""

    to: E164 | None = None
    """DIAL: number of the second call, billed too."""

    hangup_delay: int | None = Field(default=None, ge=1)
    """DIAL: seconds to wait for an answer."""

    max_duration: int | None = Field(default=None, ge=1)
    """DIAL: longest seconds."""

    record: bool | None = None
    """DIAL: record it."""

    recording_format: Literal["WAV", "MP3"] | None = None
    """DIAL: format of the recording."""

    event_url: HttpsUrl | None = None
    """COLLECT: where Routee posts the keys."""

    max_digits: int | None = Field(default=None, ge=1)
    """COLLECT: most keys; 30 if left out."""

    submit_on_hash: bool | None = None
    """COLLECT: # ends it."""

    @model_validator(mode="after")
    def _has_what_its_verb_needs(self) -> Self:
        named = {name for name in _ALL if getattr(self, name) is not None}
        if missing := _NEEDED[self.type] - named:
            raise ValueError(f"{self.type} needs {', '.join(sorted(missing))}")
        if strange := named - _ALLOWED[self.type]:
            raise ValueError(f"{self.type} has no {', '.join(sorted(strange))}")
        return self

    def to_wire(self) -> dict[str, Any]:
        """The verb in Routee's form."""
        spoken = given(text=self.text, gender=self.gender, language=self.language)
        fields = given(
            type=self.type,
            message=spoken or None,
            fileURL=self.file_url,
            bargeIn=self.barge_in,
            repeat=self.repeat,
            to={"phone": self.to} if self.to else None,
            hangupDelay=self.hangup_delay,
            maxDuration=self.max_duration,
            record=self.record,
            recordingFormat=self.recording_format,
            eventUrl=self.event_url,
            maxDigits=self.max_digits,
            submitOnHash=self.submit_on_hash,
        )
        return fields | ({"from": self.sender.removeprefix("+")} if self.sender else {})


_ALL = frozenset[str]().union(*_ALLOWED.values())


class Callee(BaseModel):
    """Who is called: one of the three."""

    to: E164 | None = None
    """Telephone number."""

    to_sip: Sip | None = None
    """SIP address."""

    to_viber: E164 | None = None
    """Number whose Viber app is called."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(way is not None for way in (self.to, self.to_sip, self.to_viber)) != 1:
            raise ValueError("give one of to, to_sip and to_viber")
        return self

    def callee(self) -> dict[str, Any]:
        """`to` in Routee's form."""
        return given(phone=self.to, sip=self.to_sip, viber=self.to_viber)

    def numbers(self) -> tuple[str, ...]:
        """The number, if one is called."""
        return tuple(number for number in (self.to, self.to_viber) if number is not None)


CALLEE = frozenset({"to", "to_sip", "to_viber"})


class CalledParty(Answer):
    """Who was called."""

    phone: LooseText | None = None
    sip: str | None = None
    viber: LooseText | None = None


class Recording(Answer):
    """A recorded call. The file is fetched from its address with the account's token, outside these tools."""

    tracking_id: str | None = None
    start: AnsweredTime | None = None
    end: AnsweredTime | None = None
    caller: LooseText | None = Field(default=None, alias="from")
    called: LooseText | None = Field(default=None, alias="to")
    url: str | None = None
    voice_tracking_ids: list[str] = []
    conversation_id: str | None = Field(default=None, alias="conversationTrackingId")
    duration: int | None = None


class Call(Answer):
    """One call. Its price is in the currency of routee_get_balance."""

    call_id: str | None = Field(default=None, alias="messageId")
    conversation_id: str | None = Field(default=None, alias="conversationTrackingId")
    caller: LooseText | None = Field(default=None, alias="from")
    called: LooseText | None = Field(default=None, alias="to")
    country: str | None = None
    direction: str | None = None
    status: Status | None = None
    answered_by: str | None = None
    """HUMAN, MACHINE or UNKNOWN."""

    duration: int | None = None
    """Seconds."""

    price: Decimal | None = None
    charge_interval: int | None = None
    collected_tones: LooseText | None = None
    recordings: list[Recording] = []
    campaign: str | None = None
    campaign_id: str | None = Field(default=None, alias="campaignTrackingId")
    groups: list[str] = []


class Calls(Page):
    """Calls."""

    calls: list[Call] = Field(default=[], alias="content")
