"""VoiceTel numbers: what the account has, and how a number joins or leaves it."""

from datetime import datetime
from typing import Any, Final

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import AnsweredNumber, UsNumber
from clients.operation import Answer, Done, Operation, Precondition, Undo, Verification, verify_removal
from tools.voicetel.client import voicetel

SYSTEM_ROUTES: Final = frozenset({
    "USER", "T30", "VOICE_BRIDGE", "DID", "T38", "RTC_BRIDGE", "VOICEML", "SDN", "MOBILE",
})  # fmt: skip
"""Routes that every account has; VOICEML and MOBILE are from the newer SDK."""

SYSTEM_IDS: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 9})
"""Their ids, which newer servers show as the kind of a number's route instead of its gateway's id."""


class Number(Answer):
    """A number of the account, and where its calls, messages and faxes go."""

    number: AnsweredNumber | None = None
    route: int | None = None
    """Gateway or system route that receives its calls."""

    gateway: str | None = None
    carrier: int | None = None
    """Carrier of outbound messages; 0 when none is bound."""

    translated: AnsweredNumber | None = None
    """Digits delivered to the gateway; usually the number itself."""

    forward: bool | None = None
    forward_to: AnsweredNumber | None = None
    cnam: bool | None = None
    """True when callers' names are looked up, which bills each call."""

    sms_enabled: bool | None = None
    """True when inbound texts are routed somewhere. Whether it can text shows voicetel_get_number_messaging."""

    fax_enabled: bool | None = None
    """True when inbound faxes are mailed somewhere."""


class Numbers(Answer):
    """Numbers of the account."""

    numbers: list[Number] = []


@voicetel.operation(
    "GET",
    "/v2.2/numbers",
    effect=Effect.READ,
    toolset="numbers",
    docs="#numbersList",
    empty_on=404,
    rows="numbers",
    synonyms=("inventory", "my numbers", "dids", "phone numbers", "all", "own"),
)
class ListNumbers(Operation[Numbers]):
    """List the account's numbers with route, forward, caller-name, SMS and fax flags."""


@voicetel.operation(
    "GET",
    "/v2.2/numbers/{number}",
    effect=Effect.READ,
    toolset="numbers",
    docs="#numbersGet",
    synonyms=("show", "details", "settings", "where does it ring"),
)
class GetNumber(Operation[Number]):
    """Show one number: route, forward, caller-name, SMS and fax flags."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


class AddedNumber(Answer):
    """A number that was put on the account."""

    number: AnsweredNumber | None = None
    route: int | None = None


@voicetel.operation(
    "POST",
    "/v2.2/numbers",
    effect=Effect.PAID,
    subject="Put {number} on the account",
    toolset="numbers",
    docs="#numbersCreate",
    synonyms=("assign", "put on the account"),
)
class AddNumber(Operation[AddedNumber]):
    """Put a number on the account without an inventory order; to buy one, use voicetel_order_numbers."""

    number: UsNumber
    """Number to add."""

    route: int | None = Field(default=None, ge=1)
    """Gateway that receives its calls, from voicetel_list_gateways; VoiceTel takes 4 if left out."""

    def charge(self) -> Charge:
        return Charge(item="number", rate="did", per="month")

    def warnings(self) -> tuple[str, ...]:
        return ("The balance must cover the monthly rate. The documents do not say whether it is charged at once.",)

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def preconditions(self) -> tuple[Precondition[Number], ...]:
        return (Precondition(self.before(), lambda _: f"{self.number} is on this account already"),)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(
            read=GetNumber(number=self.number),
            check=lambda _: Evidence.YES,
            if_absent=Evidence.NO,
            must_be_new=True,
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="partial", operation=RemoveNumber(number=self.number), lost="What was charged stays charged."
        )


@voicetel.operation(
    "POST",
    "/v2.2/numbers/{number}/release",
    effect=Effect.DESTRUCTIVE,
    subject="Release {number} for good",
    toolset="numbers",
    docs="#numbersRelease",
    irreversible=True,
    synonyms=("give up", "cancel", "drop", "return", "retire", "get rid of"),
)
class ReleaseNumber(Operation[Done]):
    """Release a number to the network for good; it cannot be bought back."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return verify_removal(GetNumber(number=self.number))


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}",
    effect=Effect.DESTRUCTIVE,
    subject="Remove {number} from the account for good",
    toolset="numbers",
    docs="#numbersDelete",
    irreversible=True,
    synonyms=("delete", "cancel", "drop"),
)
class RemoveNumber(Operation[Done]):
    """Remove a number from the account for good."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return verify_removal(GetNumber(number=self.number))


class MovedNumber(Answer):
    """A number that belongs to another account now."""

    number: AnsweredNumber | None = None
    route: int | None = None
    """Gateway of that account."""

    account_id: int | None = None


@voicetel.operation(
    "PATCH",
    "/v2.2/numbers/{number}",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES | Effect.PRIVILEGED,
    subject="Hand {number} over to account {account_id} for good",
    toolset="numbers",
    docs="#numbersMove",
    irreversible=True,
    synonyms=("transfer", "hand over", "give to"),
)
class MoveNumber(Operation[MovedNumber]):
    """Hand a number over to another VoiceTel account; only that account can hand it back."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    account_id: int = Field(ge=1)
    """Username of the account that receives it, as a number."""

    route: int = Field(ge=1)
    """Gateway of the receiving account that takes its calls."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return verify_removal(GetNumber(number=self.number))
