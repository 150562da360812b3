"""VoiceTel routing of one number: where its inbound messages and its faxes go."""

import re
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import AnsweredNumber, UsNumber
from clients.operation import NOT_SET, UNREAD, Answer, Done, Operation, Undo, Verification, put_back
from tools.hosts import names_host
from tools.voicetel.client import voicetel
from tools.voicetel.operations.access import is_routable

EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"
HTTPS: Final = r"^https://[^\s/?#]+\S*$"


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
    subject="Pass texts that reach {number} on to {resource}",
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
        """Give a resource of the type's kind."""
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

    def verification(self, sent_at: datetime) -> Verification[SmsRouting]:
        return Verification(read=GetSmsRouting(number=self.number), check=self._is_set)

    def _is_set(self, found: SmsRouting) -> Evidence:
        """Nothing at all is how it is shown that messages go nowhere; a type may also be unknown."""
        if found == SmsRouting():
            return Evidence.NO
        if found.type not in {"email", "webhook", "sip"} or found.resource is None:
            return Evidence.UNKNOWN
        return _same_resource(self.type, found.resource, self.resource) if found.type == self.type else Evidence.NO


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/sms",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Stop passing on texts that reach {number}[, now to {before.resource}]",
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

    def verification(self, sent_at: datetime) -> Verification[SmsRouting]:
        return Verification(
            read=GetSmsRouting(number=self.number),
            check=lambda found: Evidence.NO if found.type else Evidence.yes_if(found == SmsRouting()),
            must_be_new=True,
        )


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
    subject="Mail faxes that reach {number} to {email}",
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

    def verification(self, sent_at: datetime) -> Verification[FaxRouting]:
        return Verification(read=GetFaxRouting(number=self.number), check=self._is_set)

    def _is_set(self, found: FaxRouting) -> Evidence:
        """Nothing at all is how it is shown that faxes go nowhere."""
        if found.email is None:
            return Evidence.no_if(found == FaxRouting())
        return Evidence.of(found.email.casefold() == self.email.casefold())


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/fax",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Stop mailing faxes that reach {number}[ to {before.email}]",
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

    def verification(self, sent_at: datetime) -> Verification[FaxRouting]:
        return Verification(
            read=GetFaxRouting(number=self.number),
            check=lambda found: Evidence.NO if found.email else Evidence.yes_if(found == FaxRouting()),
            must_be_new=True,
        )


def _same_resource(kind: str, shown: str, wanted: str) -> Evidence:
    """Whether two destinations are one; UNKNOWN where they may be one in two forms."""
    if kind == "email":
        return Evidence.of(shown.casefold() == wanted.casefold())
    if shown == wanted:
        return Evidence.YES
    inner, outer = sorted((shown.casefold(), wanted.casefold()), key=len)
    return Evidence.no_if(inner not in outer)


def _misfit(kind: str, resource: str) -> str | None:
    """Return what a destination of this kind looks like, unless this one does."""
    if kind == "email":
        return None if re.fullmatch(EMAIL, resource) else "an email address such as user@example.com"
    if kind == "webhook":
        is_address = re.fullmatch(HTTPS, resource) is not None and names_host(resource)
        return None if is_address else "a URL that starts with https:// and names a host"
    try:
        address = ip_address(resource)
    except ValueError:
        return "an IP address such as 203.0.113.5"
    if isinstance(address, IPv4Address) and not is_routable(IPv4Network(address)):
        return "a public IP address; VoiceTel cannot reach this one"
    return None
