"""VoiceTel routing of one number: where its calls, messages and faxes go."""

import re
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from clients.effects import Effect
from clients.fields import AnsweredNumber, UsNumber
from clients.operation import Answer, Done, Operation, Proof
from clients.undo import NOT_SET, UNREAD, Undo, put_back
from clients.voicetel import voicetel
from tools.voicetel.numbers import GetNumber, Number

EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"
HTTPS: Final = r"^https://[^\s/?#]+\S*$"


class NumberRoute(Answer):
    """Where a number's calls go."""

    number: AnsweredNumber | None = None
    route: int | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/route",
    effect=Effect.REROUTES,
    toolset="routing",
    docs="#numbersRoute",
    synonyms=("gateway", "point", "send calls", "trunk", "pbx"),
)
class SetRoute(Operation[NumberRoute]):
    """Send a number's calls to another gateway or system route."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    route: int = Field(ge=1)
    """Gateway or system route, from voicetel_list_gateways."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        return put_back(SetRoute, number=self.number, route=before.route)

    def settled(self, sent_at: datetime) -> Proof[Number]:
        return Proof(read=GetNumber(number=self.number), shows=lambda found: found.route == self.route)


class Forward(Answer):
    """Where a number's calls are forwarded to."""

    number: AnsweredNumber | None = None
    forward_to: AnsweredNumber | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/forward",
    effect=Effect.REROUTES,
    toolset="routing",
    docs="#numbersForwardSet",
    synonyms=("divert", "redirect", "call forwarding"),
)
class SetForward(Operation[Forward]):
    """Forward a number's calls to another number, billed as outbound calls (inferred)."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    destination: UsNumber
    """Where the calls go, US or Canada."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def destinations(self) -> tuple[str, ...]:
        return (self.destination,)

    def warnings(self) -> tuple[str, ...]:
        return ("Each forwarded call is billed as an outbound call too (inferred).",)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number) or before.forward is None:
            return UNREAD
        if not before.forward:
            return Undo(verdict="full", operation=RemoveForward(number=self.number))
        return put_back(SetForward, number=self.number, destination=before.forward_to)

    def settled(self, sent_at: datetime) -> Proof[Number]:
        return Proof(
            read=GetNumber(number=self.number),
            shows=lambda found: found.forward is not False and found.forward_to == self.destination,
        )


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/forward",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    toolset="routing",
    docs="#numbersForwardDelete",
    synonyms=("stop forwarding", "end", "divert off", "redirect"),
)
class RemoveForward(Operation[Done]):
    """End call forwarding, so that calls follow the number's route again."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number) or before.forward is None:
            return UNREAD
        if not before.forward:
            return NOT_SET
        return put_back(SetForward, number=self.number, destination=before.forward_to)

    def settled(self, sent_at: datetime) -> Proof[Number]:
        return Proof(
            read=GetNumber(number=self.number),
            shows=lambda found: None if found.forward is None else not found.forward,
        )


class Translation(Answer):
    """Digits delivered for a number's calls."""

    number: AnsweredNumber | None = None
    translation: AnsweredNumber | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/translation",
    effect=Effect.REROUTES,
    toolset="routing",
    docs="#numbersTranslation",
    synonyms=("called number", "digits", "did", "rewrite"),
)
class SetDnisTranslation(Operation[Translation]):
    """Change the called number (DNIS) that the gateway receives with a number's calls."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    translation: UsNumber
    """Digits to deliver; the number itself for no translation."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        return put_back(SetDnisTranslation, number=self.number, translation=before.translated)

    def settled(self, sent_at: datetime) -> Proof[Number]:
        return Proof(read=GetNumber(number=self.number), shows=lambda found: found.translated == self.translation)


class SmsRouting(Answer):
    """Where a number's inbound messages go; empty when nowhere."""

    number: AnsweredNumber | None = None
    type: str | None = None
    """email, webhook, sip, or unknown."""

    resource: str | None = None


@voicetel.operation(
    "GET",
    "/v2.2/numbers/{number}/sms",
    effect=Effect.READ,
    toolset="routing",
    docs="#numbersSmsGet",
    empty_on=404,
    synonyms=("inbound", "texts", "webhook", "where do messages go"),
)
class GetSmsRouting(Operation[SmsRouting]):
    """Show where a number's inbound messages go; empty when nowhere."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/sms",
    effect=Effect.REROUTES,
    toolset="routing",
    docs="#numbersSmsSet",
    synonyms=("inbound", "texts", "incoming messages", "receive", "callback"),
)
class SetSmsRouting(Operation[SmsRouting]):
    """Send a number's inbound messages, one-time codes included, to an email address, webhook or SIP host."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    type: Literal["email", "webhook", "sip"]
    """Kind of destination."""

    resource: str = Field(min_length=1)
    """By type: email address, https URL, or IP address."""

    @model_validator(mode="after")
    def _resource_fits_type(self) -> Self:
        if problem := _misfit(self.type, self.resource):
            raise ValueError(f"resource: for type {self.type} it is {problem}")
        return self

    def before(self) -> GetSmsRouting:
        return GetSmsRouting(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        if self.type != "webhook":
            return ()
        return ("VoiceTel refuses a webhook that it cannot reach over https with a valid certificate.",)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, SmsRouting):
            return UNREAD
        if before.type is None:
            return Undo(verdict="full", operation=RemoveSmsRouting(number=self.number))
        return put_back(SetSmsRouting, number=self.number, type=before.type, resource=before.resource)

    def settled(self, sent_at: datetime) -> Proof[SmsRouting]:
        return Proof(
            read=GetSmsRouting(number=self.number),
            shows=lambda found: (found.type, found.resource) == (self.type, self.resource),
        )


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/sms",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    toolset="routing",
    docs="#numbersSmsDelete",
    synonyms=("inbound", "texts", "stop", "incoming messages"),
)
class RemoveSmsRouting(Operation[Done]):
    """Stop passing on a number's inbound messages."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    def before(self) -> GetSmsRouting:
        return GetSmsRouting(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, SmsRouting):
            return UNREAD
        if before.type is None:
            return NOT_SET
        return put_back(SetSmsRouting, number=self.number, type=before.type, resource=before.resource)

    def settled(self, sent_at: datetime) -> Proof[SmsRouting]:
        return Proof(read=GetSmsRouting(number=self.number), shows=lambda found: found.type is None)


class FaxRouting(Answer):
    """Where a number's faxes go; empty when nowhere."""

    number: AnsweredNumber | None = None
    email: str | None = None


@voicetel.operation(
    "GET",
    "/v2.2/numbers/{number}/fax",
    effect=Effect.READ,
    toolset="routing",
    docs="#numbersFaxGet",
    empty_on=404,
    synonyms=("fax to email", "where do faxes go"),
)
class GetFaxRouting(Operation[FaxRouting]):
    """Show the email address that receives a number's faxes; empty when none does."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/fax",
    effect=Effect.REROUTES,
    toolset="routing",
    docs="#numbersFaxSet",
    synonyms=("fax to email", "receive faxes"),
)
class SetFaxRouting(Operation[FaxRouting]):
    """Send a number's faxes to an email address."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    email: str = Field(pattern=EMAIL)
    """Address that receives the faxes."""

    def before(self) -> GetFaxRouting:
        return GetFaxRouting(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return ("The account has a fax rate, and no document says what it is charged for.",)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, FaxRouting):
            return UNREAD
        if before.email is None:
            return Undo(verdict="full", operation=RemoveFaxRouting(number=self.number))
        return put_back(SetFaxRouting, number=self.number, email=before.email)

    def settled(self, sent_at: datetime) -> Proof[FaxRouting]:
        return Proof(
            read=GetFaxRouting(number=self.number),
            shows=lambda found: (found.email or "").casefold() == self.email.casefold(),
        )


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/fax",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    toolset="routing",
    docs="#numbersFaxDelete",
    synonyms=("fax to email", "stop faxes"),
)
class RemoveFaxRouting(Operation[Done]):
    """Stop sending a number's faxes to email."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    def before(self) -> GetFaxRouting:
        return GetFaxRouting(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, FaxRouting):
            return UNREAD
        if before.email is None:
            return NOT_SET
        return put_back(SetFaxRouting, number=self.number, email=before.email)

    def settled(self, sent_at: datetime) -> Proof[FaxRouting]:
        return Proof(read=GetFaxRouting(number=self.number), shows=lambda found: found.email is None)


def _misfit(kind: str, resource: str) -> str | None:
    """What a destination of this kind looks like, unless this one does."""
    if kind == "email":
        return None if re.fullmatch(EMAIL, resource) else "an email address such as user@example.com"
    if kind == "webhook":
        return None if re.fullmatch(HTTPS, resource) else "a URL that starts with https://"
    try:
        ip_address(resource)
    except ValueError:
        return "an IP address such as 203.0.113.5"
    return None
