"""VoiceTel caller names: those of who calls a number, and the one that a number shows when it calls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import same_value
from clients.fields import AnsweredNumber, LooseText, UsNumber
from clients.operation import UNREAD, Answer, Operation, Undo, Verification, put_back
from tools.voicetel.client import voicetel
from tools.voicetel.operations.phone_numbers import GetNumber, Number


class CnamLookup(Answer):
    """Whether callers' names are looked up."""

    number: AnsweredNumber | None = None
    enabled: bool | None = Field(default=None, alias="cnam")


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/cnam",
    effect=Effect.PAID,
    subject="[enabled?Look up|Stop looking up] callers' names on {number}",
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

    sets: ClassVar[Mapping[str, str]] = {"enabled": "cnam"}

    def charge(self) -> Charge | None:
        return Charge(item="lookup of a caller's name", rate="cnam", per="call") if self.enabled else None

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return (
            ("We infer that every inbound call is billed a lookup; VoiceTel does not document it.",)
            if self.enabled
            else ()
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        lost = "Lookups made meanwhile stay billed." if self.enabled else ""
        return put_back(SetCnamLookup, number=self.number, enabled=before.cnam, lost=lost)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(
            read=GetNumber(number=self.number),
            check=lambda found: same_value(found.cnam, self.enabled),
        )


class CallerName(Answer):
    """The outbound caller name. `carrier_status` says how the step at the LIDB network went."""

    number: AnsweredNumber | None = None
    name: str | None = Field(default=None, alias="cnam")
    carrier_status: LooseText | None = None
    customer_order_reference: LooseText | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/lidb",
    effect=Effect.DESTRUCTIVE,
    subject="Show {name:text} as the caller's name on calls from {number}",
    toolset="numbers",
    docs="#numbersLidb",
    unverifiable="no call shows the name that a number sends",
    synonyms=("lidb", "cnam", "caller id name", "outbound", "display name"),
)
class SetCallerName(Operation[CallerName]):
    """Set the name that people called from a number see; `carrier_status` shows if the LIDB network took it."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ]{0,14}$", serialization_alias="cnam")
    """Up to 15 letters, digits and spaces."""

    customer_order_reference: str | None = Field(default=None, min_length=1)
    """Your reference; made up if left out."""

    def warnings(self) -> tuple[str, ...]:
        return ("VoiceTel answers yes even when the step at the LIDB network fails: see `carrier_status`.",)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="No call shows the earlier name; set it again if you know it.")
