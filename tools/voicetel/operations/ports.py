"""VoiceTel porting: bring numbers over from another carrier, and the PIN without which one cannot be taken away."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence, is_since
from clients.fields import WIRE, AnsweredNumber, AnsweredTime, KeptFromModel, LooseText, OutsideText, Secret, UsNumber
from clients.operation import Answer, Operation, Undo, Verification, wire_fields
from tools.voicetel.client import voicetel

CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""How much earlier than our own time of sending a port-in may say that it was filed."""

SEARCH_BACK: Final = timedelta(days=1)
"""A port-in filed this long before a call was not filed by it, whatever zone its time is in."""

TOLL_FREE: Final = frozenset({"800", "833", "844", "855", "866", "877", "888"})


def is_toll_free(number: str) -> bool:
    """Return True for a number, in E.164, whose holder pays for the calls to it."""
    return number[2:5] in TOLL_FREE


Text = Annotated[str, Field(min_length=1)]
Direction = Literal["N", "NE", "E", "SE", "S", "SW", "W", "NW"]


class Portability(Answer):
    """Whether a number can be ported in."""

    number: AnsweredNumber | None = None
    portable: bool | None = None
    reason: str | None = None
    """Why not."""

    losing_carrier: str | None = None
    rate_center_tier: LooseText | None = None
    local_routing_number: AnsweredNumber | None = None


@voicetel.operation(
    "GET",
    "/v2.2/ports/availability/{number}",
    effect=Effect.READ,
    toolset="ports",
    docs="#portAvailability",
    synonyms=("port in", "portable", "transfer", "bring over", "keep my number", "switch carrier", "lnp"),
)
class CheckPortability(Operation[Portability]):
    """Check whether a number can be ported in; a yes allows voicetel_submit_port for one hour."""

    number: UsNumber
    """Number at another carrier."""


class PortFeature(BaseModel):
    """What to set on one number once it is ported."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    number: UsNumber
    """One of `numbers`."""

    gateway_id: int | None = Field(default=None, ge=1)
    """Gateway for its calls, from voicetel_list_gateways."""

    campaign_id: Text | None = None
    """10DLC campaign for its messages."""

    caller_name: str | None = Field(default=None, min_length=1, max_length=15)
    """Name that people it calls see."""

    def to_wire(self) -> dict[str, Any]:
        # The provider nests each setting in an object of its own.
        wire: dict[str, Any] = {"number": self.model_dump(context=WIRE)["number"]}
        if self.gateway_id is not None:
            wire["routing"] = {"gatewayId": self.gateway_id}
        if self.campaign_id is not None:
            wire["sms"] = {"campaignId": self.campaign_id}
        if self.caller_name is not None:
            wire["lidb"] = {"name": self.caller_name}
        return wire


class SubmittedPort(Answer):
    """A port-in that was filed. `loa_url` is the letter of authorization to sign."""

    pid: str | None = None
    ticket: int | None = None
    loa_url: str | None = None
    port_url: str | None = None
    message: OutsideText | None = None


@voicetel.operation(
    "POST",
    "/v2.2/ports",
    effect=Effect.PAID | Effect.REROUTES | Effect.OUTWARD,
    subject="Move {numbers:number} here from another carrier, for good",
    toolset="ports",
    docs="#portSubmit",
    confirmed_by=("pid",),
    irreversible=True,
    synonyms=("port in", "transfer", "bring over", "keep my number", "switch carrier", "lnp", "move from"),
)
class SubmitPort(Operation[SubmittedPort]):
    """Order the move of numbers from another carrier, for a fee per number; no call cancels it."""

    numbers: list[UsNumber] = Field(min_length=1, serialization_alias="did")
    """Each found portable by voicetel_check_portability within the hour."""

    name_type: Literal["business", "residential"]
    """Kind of subscriber."""

    name: Text
    """Subscriber exactly as on the bill."""

    authorized_person: Text = Field(serialization_alias="authPerson")
    """Who will sign the letter of authorization."""

    billing_number: UsNumber = Field(serialization_alias="lcBtn")
    """Billing number on the bill."""

    account_number: Text = Field(serialization_alias="lcAccountNumber")
    """Account number on the bill."""

    pin: Annotated[Secret | None, KeptFromModel(setting="port_in_pin")] = None
    """Send the carrier's port-out PIN, which the operator keeps as `port_in_pin`."""

    street_number: Text
    """House number of the service address."""

    street_prefix: Direction | None = None
    """Direction before the street name."""

    street: Text
    """Street name."""

    street_type: str
    """USPS abbreviation, such as ST; empty where the street has none."""

    street_suffix: Direction | None = None
    """Direction after the street name."""

    unit: str | None = Field(default=None, serialization_alias="unitValue")
    """Designator and number, such as STE 5."""

    building: str | None = None
    """Building."""

    floor: str | None = None
    """Floor."""

    room: str | None = None
    """Room."""

    city: Text
    """City."""

    state: str = Field(pattern=r"^[A-Z]{2}$")
    """State, two letters."""

    zip: Text
    """Postal code."""

    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    """Country, two letters."""

    desired_due_date: date | None = None
    """Day of the move; the usual time if left out."""

    features: list[PortFeature] | None = Field(default=None, min_length=1)
    """What to set on the numbers afterwards."""

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        """Give each number once, and features for these only."""
        if len(set(self.numbers)) < len(self.numbers):
            raise ValueError("numbers: each number stands once, since each is charged")
        if strange := [row.number for row in self.features or [] if row.number not in self.numbers]:
            raise ValueError(f"features: {', '.join(strange)} is not among numbers")
        return self

    def charge(self) -> Charge:
        return Charge(
            item="number",
            quantity=len(self.numbers),
            each=Decimal("6"),
            source="VoiceTel's documents: 6 USD a number",
        )

    def warnings(self) -> tuple[str, ...]:
        always = (
            "The fee is taken at once, and no call of VoiceTel's cancels a port.",
            "The letter of authorization must then be downloaded, signed and uploaded with a bill, outside the API.",
        )
        if not any(map(is_toll_free, self.numbers)):
            return always
        return (
            *always,
            "Toll-free numbers: one document says they are split off, another that they are not supported.",
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="The API has no call that cancels a port; only VoiceTel's support can.")

    def verification(self, sent_at: datetime) -> "Verification[Ports]":
        # The list names no numbers, so those filed about then are shown one by one.
        filing = _Filing(numbers=frozenset(self.numbers), sent_at=sent_at)
        return Verification(read=ListPorts(), check=lambda listed: filing.among(_filed_about(listed, sent_at)))

    def to_wire(self) -> dict[str, Any]:
        # The due date goes out as a day, as the text says; the schema names a date-time.
        features = [feature.to_wire() for feature in self.features or []]
        return wire_fields(self, exclude=frozenset({"features"})) | ({"features": features} if features else {})


class ListedPort(Answer):
    """A port-in, as the list shows it."""

    pid: str | None = None
    status: str | None = None
    created_at: AnsweredTime | None = None
    foc_date: LooseText | None = Field(default=None, alias="foc")
    """Firm order commitment: the day of the move, YYYYMMDD."""

    support_url: str | None = None
    message: OutsideText | None = None


class Ports(Answer):
    """Port-ins, newest first."""

    ports: list[ListedPort] = []


@voicetel.operation(
    "GET",
    "/v2.2/ports",
    effect=Effect.READ,
    toolset="ports",
    docs="#portList",
    rows="ports",
    synonyms=("port in", "porting", "transfers", "pending", "lnp"),
)
class ListPorts(Operation[Ports]):
    """List the account's port-ins with status and date of the move (`foc_date`), newest first."""


def _filed_about(listed: Ports, sent_at: datetime) -> list[ListedPort] | None:
    """Port-ins that may have been filed by a call of that time; None where a row does not say when or which."""
    filed = [row for row in listed.ports if row.created_at is None or row.created_at >= sent_at - SEARCH_BACK]
    return filed if all(row.pid and _PID.fullmatch(row.pid) and row.created_at for row in filed) else None


_PID: Final = re.compile(r"[A-Za-z0-9]{5}")


@dataclass(frozen=True, kw_only=True)
class _Filing:
    """What is known of a port-in whose answer was lost, while the records of about that time are read one by one.

    VoiceTel may file one in parts: it says that it separates toll-free numbers from the others.
    """

    numbers: frozenset[str]
    sent_at: datetime
    filed: frozenset[str] = frozenset()
    is_doubtful: bool = False
    """True once a record may be of this call and may be of another."""

    def among(self, records: list[ListedPort] | None) -> "Evidence | Verification[Port]":
        """YES if the records together are this call, NO if they have none of its numbers; or the next read."""
        if self.filed == self.numbers:
            return Evidence.YES
        if not records:
            may_be = records is None or self.filed or self.is_doubtful or any(map(is_toll_free, self.numbers))
            return Evidence.no_if(not may_be)
        first, *others = records
        return Verification(
            read=GetPort(pid=first.pid or ""), check=lambda found: self._reading(first, found.port).among(others)
        )

    def _reading(self, listed: ListedPort, port: "PortDetails | None") -> "_Filing":
        numbers = frozenset(port.numbers if port else ())
        if numbers and numbers.isdisjoint(self.numbers):
            return self
        is_newer = is_since(listed.created_at, self.sent_at, tolerance=CLOCKS_DIFFER)
        if numbers and numbers <= self.numbers and is_newer:
            return replace(self, filed=self.filed | numbers)
        return replace(self, is_doubtful=True)


class PortDetails(Answer):
    """One port-in with its numbers and contact."""

    pid: str | None = None
    status: str | None = None
    created_at: AnsweredTime | None = None
    foc_date: LooseText | None = Field(default=None, alias="foc")
    """Firm order commitment: the day of the move, YYYYMMDD."""

    numbers: list[AnsweredNumber] = []
    name: str | None = None
    email: str | None = None
    message: OutsideText | None = None


class Port(Answer):
    """One port-in."""

    port: PortDetails | None = None


@voicetel.operation(
    "GET",
    "/v2.2/ports/{pid}",
    effect=Effect.READ,
    toolset="ports",
    docs="#portGet",
    synonyms=("port status", "when", "porting", "transfer", "lnp"),
)
class GetPort(Operation[Port]):
    """Show one port-in: status, numbers, contact and date of the move (`foc_date`)."""

    pid: str = Field(pattern=r"^[A-Za-z0-9]{5}$")
    """`pid` of the port-in, from voicetel_list_ports."""


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
    subject="Set a new port-out PIN for {number}",
    toolset="ports",
    docs="#numbersPortOutPinUpdate",
    unverifiable="no call shows a port-out PIN",
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

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="none", lost="No call shows the PIN before, and newer servers lock the new one for 30 days."
        )
