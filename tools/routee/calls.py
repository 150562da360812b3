"""Parts of a call: who is called, and what is said, played, dialled and collected once it is answered."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from clients.fields import E164, AnsweredTime, LooseText
from clients.operation import Answer
from clients.segments import Visible
from tools.hosts import is_host
from tools.routee.field_types import (
    Amount,
    AnsweredSender,
    Gender,
    HttpsUrl,
    Language,
    Sender,
    Status,
    WavUrl,
    without_description,
    without_none,
)
from tools.routee.paging import Page

SpokenText = Annotated[str, Field(min_length=1, max_length=1000), Visible]

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION = re.compile(r"[\s().\-]")
_SIP = re.compile(r"[^@\s]+@[^@\s]+")

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

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=without_description)

    type: Literal["SAY", "PLAY", "DIAL", "COLLECT"]
    text: SpokenText | None = None
    language: Language | None = None
    gender: Gender | None = None
    file_url: WavUrl | None = None
    barge_in: bool | None = None
    repeat: int | None = Field(default=None, ge=1)
    sender: Sender | None = None
    to: E164 | None = None
    hangup_delay: int | None = Field(default=None, ge=1)
    max_duration: int | None = Field(default=None, ge=1)
    record: bool | None = None
    recording_format: Literal["WAV", "MP3"] | None = None
    event_url: HttpsUrl | None = None
    max_digits: int | None = Field(default=None, ge=1)
    submit_on_hash: bool | None = None

    @model_validator(mode="after")
    def _has_what_its_verb_needs(self) -> Self:
        """Give SAY text and language, PLAY file_url, DIAL sender and to, COLLECT event_url."""
        named = {name for name in _ALL if getattr(self, name) is not None}
        if missing := _NEEDED[self.type] - named:
            raise ValueError(f"{self.type} needs {', '.join(sorted(missing))}")
        if strange := named - _ALLOWED[self.type]:
            raise ValueError(f"{self.type} has no {', '.join(sorted(strange))}")
        return self

    def to_wire(self) -> dict[str, Any]:
        """Return the verb in Routee's form."""
        spoken = without_none(text=self.text, gender=self.gender, language=self.language)
        fields = without_none(
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


def _is_callee(value: str) -> str:
    number = _PUNCTUATION.sub("", value)
    if _NUMBER.fullmatch(number):
        return number
    if not _SIP.fullmatch(value) or not is_host(_sip_host(value)):
        raise ValueError("a number in E.164 (+12015550123) or a SIP address (name@host)")
    return value


def _sip_host(address: str) -> str:
    """Return the host of a SIP address, without port and parameters."""
    host = address.rpartition("@")[2].partition(";")[0]
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


Callee = Annotated[str, AfterValidator(_is_callee)]
"""Who is called: a number in E.164 or a SIP address. That Routee can also call Viber apps is left out."""


def callee(to: str) -> dict[str, str]:
    """`to` in Routee's form."""
    return {"phone": to} if to.startswith("+") else {"sip": to}


def called_numbers(to: str | None) -> tuple[str, ...]:
    """Return the number, if it is one."""
    return (to,) if to is not None and to.startswith("+") else ()


class CalledParty(Answer):
    """Who was called."""

    phone: LooseText | None = None
    sip: str | None = None
    viber: LooseText | None = None


class Spoken(Answer):
    """What was said in a call."""

    text: str | None = None
    language: str | None = None
    gender: str | None = None


class Recording(Answer):
    """A recorded call. The file is fetched from its address with the account's token, outside these tools.

    What is recorded is a DIAL of the dialplan: `caller` is whom the conversation called, `called` whom the DIAL called.
    """

    tracking_id: str | None = None
    start: AnsweredTime | None = None
    end: AnsweredTime | None = None
    caller: AnsweredSender | None = Field(default=None, alias="from")
    called: LooseText | None = Field(default=None, alias="to")
    url: str | None = None
    voice_tracking_ids: list[str] = []
    conversation_id: str | None = Field(default=None, alias="conversationTrackingId")
    duration: int | None = None


class Call(Answer):
    """One call. Its price is in the currency of routee_get_balance."""

    call_id: str | None = Field(default=None, alias="messageId")
    conversation_id: str | None = Field(default=None, alias="conversationTrackingId")
    caller: AnsweredSender | None = Field(default=None, alias="from")
    called: LooseText | None = Field(default=None, alias="to")
    country: str | None = None
    direction: str | None = None
    status: Status | None = None
    answered_by: str | None = None
    """HUMAN, MACHINE or UNKNOWN."""

    duration: int | None = None
    """Seconds."""

    price: Amount | None = None
    charge_interval: int | None = None
    collected_tones: LooseText | None = None
    recordings: list[Recording] = []
    campaign: str | None = None
    campaign_id: str | None = Field(default=None, alias="campaignTrackingId")
    groups: list[str] = []
    spoken: Spoken | None = Field(default=None, alias="message")
    file_url: str | None = Field(default=None, alias="fileURL")
    """What was played."""

    application_name: str | None = None


class Calls(Page):
    """Calls."""

    calls: list[Call] = Field(default=[], alias="content")
