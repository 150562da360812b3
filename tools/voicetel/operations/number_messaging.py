"""VoiceTel messaging of numbers: whether a number can text, over which path, and with which campaign."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import AnsweredNumber, LooseText, UsNumber
from clients.operation import UNREAD, Answer, ChangesSomething, Operation, Undo, Verification, put_back, wire_fields
from tools.voicetel.client import voicetel
from tools.voicetel.operations.ordering import FailedNumber

TcrId = Annotated[str, Field(pattern=r"^C[A-Z0-9]{6}$")]
"""Id of a campaign at The Campaign Registry, as the unassign routes want it."""

MAY_NOT_BIND = "Newer servers take no new numbers on path A and may need time to bind one again."
CANNOT_TEXT = "Messages sent from these numbers fail until they have a campaign again (inferred)."


class BoundCampaign(Answer):
    """The campaign that a number is bound to."""

    id: str | None = None
    upstream_id: str | None = Field(default=None, alias="upstreamCnpId")
    status: str | None = None
    network: str | None = None


class NumberMessaging(Answer):
    """How a number sends and receives messages."""

    number: AnsweredNumber | None = None
    on_account: bool | None = None
    enabled: bool | None = None
    network: str | None = None
    carrier: int | None = None
    """Outbound carrier, which voicetel_set_messaging_routes takes as `route_out`."""

    route_in: int | None = None
    """Row of the inbound routing; 0 when there is none."""

    resource: str | None = None
    """Where inbound messages go."""

    campaign: BoundCampaign | None = None
    pending: object = None
    """Job that is still binding the number; newer servers only, shape not documented."""


@voicetel.operation(
    "GET",
    "/v2.2/numbers/{number}/messaging",
    effect=Effect.READ,
    toolset="messaging",
    docs="#numbersMessagingGet",
    synonyms=("sms", "can it text", "10dlc", "campaign", "enabled"),
)
class GetNumberMessaging(Operation[NumberMessaging]):
    """Show whether a number can text, its campaign, path and inbound routing."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


class NumbersMessaging(Answer):
    """How numbers send and receive messages."""

    numbers: list[NumberMessaging] = []


@voicetel.operation(
    "GET",
    "/v2.2/numbers/messaging",
    effect=Effect.READ,
    toolset="messaging",
    docs="#numbersMessagingList",
    rows="numbers",
    synonyms=("sms", "can they text", "10dlc", "campaigns", "enabled"),
)
class ListNumberMessaging(Operation[NumbersMessaging]):
    """Show for up to 1000 numbers whether they can text, with campaign, path and inbound routing."""

    numbers: list[UsNumber] = Field(min_length=1, max_length=1000)
    """Numbers to check; those of others come back with `on_account` false."""

    def to_wire(self) -> dict[str, Any]:
        return {"numbers": ",".join(wire_fields(self)["numbers"])}


class ChangedRoutes(Answer):
    """Which messaging routes were changed."""

    number: AnsweredNumber | None = None
    updated: list[str] = []


@voicetel.operation(
    "PATCH",
    "/v2.2/numbers/{number}/messaging",
    effect=Effect.REROUTES,
    subject="Change message routes of {number}[: inbound to {route_in}][, outbound by {route_out}]",
    toolset="messaging",
    docs="#numbersMessagingPatch",
    synonyms=("sms route", "inbound", "outbound", "detach", "carrier"),
)
class SetMessagingRoutes(ChangesSomething, Operation[ChangedRoutes]):
    """Change where a number's inbound messages go, the carrier of its outbound ones, or both."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    route_in: int | None = Field(default=None, ge=0)
    """Row of the inbound routing, as voicetel_get_number_messaging shows it for a number; 0 detaches."""

    route_out: int | None = Field(default=None, ge=0)
    """Outbound carrier, `carrier` in voicetel_get_number_messaging; newer servers take only that or 0."""

    sets: ClassVar[Mapping[str, str]] = {"route_out": "carrier"}

    def before(self) -> GetNumberMessaging:
        return GetNumberMessaging(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, NumberMessaging):
            return UNREAD
        old: dict[str, int | None] = {}
        if self.route_in is not None:
            old["route_in"] = before.route_in
        if self.route_out is not None:
            old["route_out"] = before.carrier
        if None in old.values():
            return UNREAD
        lost = "Newer servers may not take the carrier of before back." if "route_out" in old else ""
        return put_back(SetMessagingRoutes, number=self.number, **old, lost=lost)

    def verification(self, sent_at: datetime) -> Verification[NumberMessaging]:
        return Verification(read=GetNumberMessaging(number=self.number), check=self._is_set)

    def _is_set(self, found: NumberMessaging) -> Evidence:
        pairs = ((self.route_in, found.route_in), (self.route_out, found.carrier))
        asked = [(wanted, shown) for wanted, shown in pairs if wanted is not None]
        if any(shown is None for _, shown in asked):
            return Evidence.UNKNOWN
        return Evidence.of(all(wanted == shown for wanted, shown in asked))


class Assignment(Answer):
    """A number's campaign. `status` pending means that binding goes on; see voicetel_get_number_messaging."""

    number: AnsweredNumber | None = None
    campaign_id: str | None = None
    upstream_id: str | None = Field(default=None, alias="upstreamCnpId")
    network: str | None = None
    carrier: int | None = None
    previous_network: str | None = None
    previous_network_cleared: bool | None = None
    status: str | None = None
    already_assigned: bool | None = None
    order_id: LooseText | None = None
    warning: str | None = None
    message: str | None = None
    job: object = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/messaging-campaign",
    effect=Effect.REROUTES,
    subject="Bind {number} to campaign {campaign_id}",
    toolset="messaging",
    docs="#numbersMessagingCampaignAssign",
    synonyms=("10dlc", "a2p", "bind", "enable sms", "register"),
)
class AssignCampaign(Operation[Assignment]):
    """Bind a number to a 10DLC campaign; a binding on another path is cleared."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    campaign_id: str = Field(pattern=r"^[A-Z0-9]+$")
    """Registered campaign, such as CH5K5IZ."""

    sets: ClassVar[Mapping[str, str]] = {"campaign_id": "campaign.id"}

    def before(self) -> GetNumberMessaging:
        return GetNumberMessaging(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return ("Newer servers may bind in steps, and messages fail until the last is done (inferred).",)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, NumberMessaging):
            return UNREAD
        old = before.campaign.id if before.campaign else None
        if old == self.campaign_id:
            return Undo(verdict="none", lost="The number had this campaign before; nothing changed.")
        if old is None:
            return put_back(UnassignCampaign, number=self.number, campaign_id=self.campaign_id)
        return put_back(AssignCampaign, number=self.number, campaign_id=old, lost=MAY_NOT_BIND)

    def verification(self, sent_at: datetime) -> Verification[NumberMessaging]:
        return Verification(read=GetNumberMessaging(number=self.number), check=self._is_bound)

    def _is_bound(self, found: NumberMessaging) -> Evidence:
        if is_bound(found, self.campaign_id):
            return Evidence.YES
        return Evidence.no_if(not found.pending)


class Unassignment(Answer):
    """A number that has lost its campaign. `unassigned` is true in every answer, also if it did not have it."""

    number: AnsweredNumber | None = None
    campaign_id: str | None = None
    upstream_id: str | None = Field(default=None, alias="upstreamCnpId")
    network: str | None = None
    unassigned: bool | None = None


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/messaging-campaign",
    effect=Effect.DESTRUCTIVE,
    subject="Take {number} out of campaign {campaign_id}, so that it cannot text",
    toolset="messaging",
    docs="#numbersMessagingCampaignUnassign",
    synonyms=("10dlc", "unbind", "remove campaign", "disable sms"),
)
class UnassignCampaign(Operation[Unassignment]):
    """Take a number out of a 10DLC campaign, so that it can no longer text."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    campaign_id: TcrId
    """Its campaign, from voicetel_get_number_messaging."""

    def before(self) -> GetNumberMessaging:
        return GetNumberMessaging(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return (CANNOT_TEXT,)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, NumberMessaging):
            return UNREAD
        if not is_bound(before, self.campaign_id):
            return Undo(verdict="none", lost="The number did not have this campaign before; nothing changed.")
        return put_back(AssignCampaign, number=self.number, campaign_id=self.campaign_id, lost=MAY_NOT_BIND)

    def verification(self, sent_at: datetime) -> Verification[NumberMessaging]:
        return Verification(
            read=GetNumberMessaging(number=self.number),
            check=lambda found: Evidence.of(not is_bound(found, self.campaign_id)),
            must_be_new=True,
        )


class Unassignments(Answer):
    """Numbers that lost their campaign. It may have succeeded in part: check `failed`."""

    campaign_id: str | None = None
    upstream_id: str | None = Field(default=None, alias="upstreamCnpId")
    network: str | None = None
    unassigned_numbers: list[AnsweredNumber] = []
    failed: list[FailedNumber] = []


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/messaging-campaign",
    effect=Effect.DESTRUCTIVE,
    subject="Take {numbers:number} out of campaign {campaign_id}, so that they cannot text",
    toolset="messaging",
    docs="#numbersMessagingCampaignBulkUnassign",
    synonyms=("10dlc", "unbind", "remove campaign", "many numbers"),
)
class UnassignCampaignInBulk(Operation[Unassignments]):
    """Take up to 1000 numbers out of a 10DLC campaign, so that they can no longer text; check `failed`."""

    numbers: list[UsNumber] = Field(min_length=1, max_length=1000)
    """Numbers of the account, from voicetel_get_campaign_status."""

    campaign_id: TcrId
    """Their campaign."""

    def before(self) -> ListNumberMessaging:
        return ListNumberMessaging(numbers=self.numbers)

    def warnings(self) -> tuple[str, ...]:
        return (CANNOT_TEXT, "Some numbers may fail while the others lose their campaign.")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="Numbers are bound again one by one, with voicetel_assign_campaign.")

    def verification(self, sent_at: datetime) -> Verification[NumbersMessaging]:
        return Verification(read=ListNumberMessaging(numbers=self.numbers), check=self._are_unbound)

    def to_wire(self) -> dict[str, Any]:
        return {"numbers": ",".join(wire_fields(self)["numbers"]), "campaignId": self.campaign_id}

    def _are_unbound(self, found: NumbersMessaging) -> Evidence:
        own = [row for row in found.numbers if row.on_account is not False]
        bound = [row for row in own if is_bound(row, self.campaign_id)]
        are_all_shown = own and {row.number for row in found.numbers} >= set(self.numbers)
        if not are_all_shown or 0 < len(bound) < len(own):
            return Evidence.UNKNOWN
        return Evidence.of(not bound)


def is_bound(found: NumberMessaging, campaign_id: str) -> bool:
    """Return True if the number has this campaign."""
    return found.campaign is not None and found.campaign.id == campaign_id
