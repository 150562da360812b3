"""VoiceTel settings of one number: where its calls, messages and faxes go, which names are shown, and its port-out PIN."""

import re
import secrets
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator

from clients.effects import Charge, Effect
from clients.fields import AnsweredNumber, KeptFromModel, LooseText, Secret, UsNumber
from clients.operation import Answer, Done, Operation, Proof, Undo
from clients.voicetel import voicetel
from tools.voicetel.numbers import GetNumber, Number

EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"

UNREAD: Final = Undo(verdict="none", lost="The setting before the change was not read.")


def put_back(operation: type[Operation[Any]], *, lost: str = "", **fields: Any) -> Undo:
    """The call that sets what was read before; none where that is no value the call takes."""
    try:
        return Undo(verdict="partial" if lost else "full", operation=operation.model_validate(fields), lost=lost)
    except ValidationError:
        return Undo(verdict="none", lost="What was set before is not a value that the API takes.")


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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        return put_back(SetRoute, number=self.number, route=before.route)

    def settled(self) -> Proof[Number]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, Number) or before.forward is None:
            return UNREAD
        if not before.forward:
            return Undo(verdict="full", operation=RemoveForward(number=self.number))
        return put_back(SetForward, number=self.number, destination=before.forward_to)

    def settled(self) -> Proof[Number]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, Number) or before.forward is None:
            return UNREAD
        if not before.forward:
            return Undo(verdict="none", lost="Calls were not forwarded before; nothing changed.")
        return put_back(SetForward, number=self.number, destination=before.forward_to)

    def settled(self) -> Proof[Number]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        return put_back(SetDnisTranslation, number=self.number, translation=before.translated)

    def settled(self) -> Proof[Number]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, SmsRouting):
            return UNREAD
        if before.type is None:
            return Undo(verdict="full", operation=RemoveSmsRouting(number=self.number))
        return put_back(SetSmsRouting, number=self.number, type=before.type, resource=before.resource)

    def settled(self) -> Proof[SmsRouting]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, SmsRouting):
            return UNREAD
        return put_back(SetSmsRouting, number=self.number, type=before.type, resource=before.resource)

    def settled(self) -> Proof[SmsRouting]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, FaxRouting):
            return UNREAD
        if before.email is None:
            return Undo(verdict="full", operation=RemoveFaxRouting(number=self.number))
        return put_back(SetFaxRouting, number=self.number, email=before.email)

    def settled(self) -> Proof[FaxRouting]:
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

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, FaxRouting):
            return UNREAD
        return put_back(SetFaxRouting, number=self.number, email=before.email)

    def settled(self) -> Proof[FaxRouting]:
        return Proof(read=GetFaxRouting(number=self.number), shows=lambda found: found.email is None)


class CnamLookup(Answer):
    """Whether callers' names are looked up."""

    number: AnsweredNumber | None = None
    enabled: bool | None = Field(default=None, alias="cnam")


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/cnam",
    effect=Effect.PAID,
    toolset="numbers",
    docs="#numbersCnam",
    synonyms=("caller id", "who is calling", "name of callers", "inbound"),
)
class SetCnamLookup(Operation[CnamLookup]):
    """Switch the lookup of callers' names on a number; when on, each inbound call is billed one (inferred)."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    enabled: bool
    """True to look names up."""

    def charge(self) -> Charge | None:
        return Charge(item="lookup of a caller's name", rate="cnam", per="call") if self.enabled else None

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return ("That every inbound call is billed a lookup is inferred.",) if self.enabled else ()

    def undo(self, before: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        lost = "Lookups made meanwhile stay billed." if self.enabled else ""
        return put_back(SetCnamLookup, number=self.number, enabled=before.cnam, lost=lost)

    def settled(self) -> Proof[Number]:
        return Proof(read=GetNumber(number=self.number), shows=lambda found: found.cnam is self.enabled)


class CallerName(Answer):
    """The outbound caller name. `carrier_status` says how the step at the LIDB network went."""

    number: AnsweredNumber | None = None
    name: str | None = Field(default=None, alias="cnam")
    carrier_status: LooseText | None = None
    customer_order_reference: LooseText | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/lidb",
    effect=Effect.WRITE,
    toolset="numbers",
    docs="#numbersLidb",
    synonyms=("lidb", "cnam", "caller id name", "outbound", "display name"),
)
class SetCallerName(Operation[CallerName]):
    """Set the name that people called from a number see; `carrier_status` tells if the LIDB network took it."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    name: str = Field(pattern=r"^[A-Za-z0-9 ]{1,15}$", serialization_alias="cnam")
    """Letters, digits and spaces."""

    customer_order_reference: str | None = Field(default=None, min_length=1)
    """Your reference; made up if left out."""

    def warnings(self) -> tuple[str, ...]:
        return ("VoiceTel answers yes even when the step at the LIDB network fails: see `carrier_status`.",)

    def undo(self, before: Any) -> Undo:
        return Undo(verdict="none", lost="No call shows the name before; set it again if it is known.")


class PortOutPin(Answer):
    """The PIN in force. `changed` false means that an earlier one was locked and stays."""

    number: AnsweredNumber | None = None
    port_out_pin: Secret | None = None
    changed: bool | None = None


def _four_digits(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[0-9]{4}", value.get_secret_value()):
        raise ValueError("a port-out PIN has four digits")
    return value


def _new_pin() -> str:
    return f"{secrets.randbelow(10_000):04d}"


@voicetel.operation(
    "PATCH",
    "/v2.2/numbers/{number}/port-out-pin",
    effect=Effect.PRIVILEGED,
    toolset="numbers",
    docs="#numbersPortOutPinUpdate",
    synonyms=("leave", "transfer away", "protect", "lock", "porting"),
)
class SetPortOutPin(Operation[PortOutPin]):
    """Set a new random PIN without which a number cannot be ported away; the operator sees it, you do not."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    pin: Annotated[Secret, AfterValidator(_four_digits), KeptFromModel(generate=_new_pin)]
    """Four digits."""

    def warnings(self) -> tuple[str, ...]:
        return ("Newer servers lock a PIN for 30 days; the answer may then hold the earlier one, which stays.",)

    def undo(self, before: Any) -> Undo:
        return Undo(
            verdict="none", lost="No call shows the PIN before, and newer servers lock the new one for 30 days."
        )


def _misfit(kind: str, resource: str) -> str | None:
    """What a destination of this kind looks like, unless this one does."""
    if kind == "email":
        return None if re.match(EMAIL, resource) else "an email address such as user@example.com"
    if kind == "webhook":
        address = urlsplit(resource)
        return None if address.scheme == "https" and address.hostname else "a URL that starts with https://"
    try:
        ip_address(resource)
    except ValueError:
        return "an IP address such as 203.0.113.5"
    return None
