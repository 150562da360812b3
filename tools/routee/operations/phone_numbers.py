"""Routee numbers: find, rent, direct and cancel them.

Grade of the paths: one public reference each; that the search takes an array of filters is inferred from messages.
"""

import calendar
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from clients.answers import NotShown
from clients.effects import Charge, Effect
from clients.errors import NotFound
from clients.evidence import Evidence, is_since, present_in, same_fields
from clients.fields import E164, AnsweredTime, E164Digits, LooseText
from clients.operation import (
    UNREAD,
    Answer,
    Done,
    NumberForward,
    Operation,
    Precondition,
    Undo,
    Verification,
    put_back,
    verify_removal,
    wire_fields,
)
from clients.questions.differences import Difference, differences
from tools.routee.calls import Callee, called_numbers
from tools.routee.client import routee
from tools.routee.field_types import Costs, Country, HttpsUrl, PostsTo, in_e164, without_none
from tools.routee.filters import Filter
from tools.routee.grades import ANSWER_INFERRED, ANSWER_ON_PAGE, REQUEST_INFERRED_ANSWER_ON_PAGE
from tools.routee.paging import Page, Paged, fields_of, is_whole, rows_of


class Offer(Answer):
    """A number that can be rented. Costs come with their currency."""

    number: LooseText | None = Field(default=None, alias="msisdn")
    country: str | None = None
    services: list[str] = []
    activation: Costs = Field(default=[], alias="activationCosts")
    monthly: Costs = Field(default=[], alias="monthlyCosts")
    inbound: Costs = Field(default=[], alias="inboundCosts")
    """For each message or `charge_interval` that comes in."""

    charge_interval: int | None = None
    """Seconds by which inbound calls are charged."""

    toll_free: bool | None = None


class Offers(Page):
    """Numbers that can be rented."""

    numbers: list[Offer] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/numbers/available",
    effect=Effect.READ,
    toolset="ordering",
    docs="view-all-the-available-numbers",
    basis=ANSWER_ON_PAGE,
    synonyms=("buy", "new number", "find", "virtual number", "did", "prices of numbers"),
)
class ListAvailableNumbers(Paged[Offers]):
    """List numbers of a country that can be rented, with their costs."""

    country: Country
    """Two letters, such as GR."""

    service: Literal["Sms", "Voice"] | None = None
    """Only numbers that can do this."""

    area_code: str | None = Field(default=None, pattern=r"^[0-9]{3}$")
    """Area code, US only."""


NumberField = Literal["msisdn", "service", "areaCode", "type"]


@routee.operation(
    "POST",
    "/numbers/available/search",
    effect=Effect.READ,
    toolset="ordering",
    docs="view-all-the-available-numbers-with-filters",
    basis=REQUEST_INFERRED_ANSWER_ON_PAGE,
    synonyms=("buy", "vanity", "toll free", "digits", "find", "pattern"),
)
class SearchAvailableNumbers(Paged[Offers]):
    """Search numbers that can be rented by digits, service, area code or type (VLN, TOLL_FREE)."""

    country: Country
    """Two letters, such as US."""

    filters: list[Filter[NumberField]] = []
    """Conditions that all hold."""

    @model_validator(mode="after")
    def _knows_the_operators(self) -> Self:
        """Use any operator but is_not."""
        if any(one.operator == "is_not" for one in self.filters):
            raise ValueError("filters: this search has no is_not")
        return self

    def to_query(self) -> dict[str, Any]:
        return self.page_query()

    def to_array(self) -> list[Any]:
        country = {"fieldName": "country", "searchTerm": self.country, "searchOperator": "is"}
        return [country, *(one.to_wire() for one in self.filters)]


class VoiceStrategy(Answer):
    """Where calls to a number go."""

    dialplan_url: str | None = None
    forward_to_sip: str | None = Field(default=None, alias="forwardCallToSip")
    forward_to: LooseText | None = Field(default=None, alias="forwardCallTo")


class Number(Offer):
    """A rented number."""

    tracking_id: str | None = None
    next_renewal: AnsweredTime | None = None
    """When the next month is charged."""

    inbound_sms_url: str | None = Field(default=None, alias="inboundSmsCallbackUrl")
    inbound_voice_url: str | None = Field(default=None, alias="inboundVoiceCallbackUrl")
    voice: VoiceStrategy | None = Field(default=None, alias="voiceInboundStrategy")

    @property
    def forwarded_to(self) -> str | None:
        """Number or SIP address its calls go to; only renting can set it."""
        return (self.voice.forward_to or self.voice.forward_to_sip) if self.voice else None

    def settings(self) -> dict[str, str]:
        """Where its traffic goes, as arguments of a change."""
        return without_none(
            inbound_sms_url=self.inbound_sms_url,
            inbound_voice_url=self.inbound_voice_url,
            dialplan_url=self.voice.dialplan_url if self.voice else None,
        )


class Numbers(Page):
    """Rented numbers."""

    numbers: list[Number] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/numbers/my",
    effect=Effect.READ,
    toolset="numbers",
    docs="view-all-the-numbers",
    basis=ANSWER_ON_PAGE,
    synonyms=("my numbers", "own", "rented", "renewal", "dids", "inventory"),
)
class ListNumbers(Paged[Numbers]):
    """List the account's rented numbers with costs, next renewal and where traffic goes."""


@routee.operation(
    "GET",
    "/numbers/my",
    effect=Effect.READ,
    toolset="numbers",
    docs="view-all-the-numbers",
    basis=ANSWER_ON_PAGE,
    confirmed_by=("number",),
    synonyms=("show", "details", "callback", "renewal"),
)
class GetNumber(Operation[Number]):
    """Show one rented number, picked from the list."""

    number: E164
    """Number from routee_list_numbers."""

    def to_wire(self) -> dict[str, Any]:
        return {"page": 0, "size": 500}

    def select(self, content: Any) -> Any:
        rows = rows_of(content)
        numbers = [in_e164(fields_of(row).get("msisdn")) for row in rows]
        match present_in(numbers, self.number, whole=is_whole(content, Numbers)):
            case Evidence.YES:
                return rows[numbers.index(self.number)]
            case Evidence.NO:
                raise NotFound(f"{self.number} is not a number of this Routee account.", status=404)
            case Evidence.UNKNOWN:
                raise NotShown(
                    f"{self.number} is not in what it shows, which is not the whole list with each row's number"
                )


@routee.operation(
    "POST",
    "/numbers/my",
    effect=Effect.PAID,
    subject="Rent {number}",
    toolset="ordering",
    docs="rent-a-number",
    basis=ANSWER_ON_PAGE,
    confirmed_by=("tracking_id", "number"),
    synonyms=("buy", "order", "purchase", "get a number", "did"),
)
class RentNumber(Operation[Number]):
    """Rent a number: activation now and a monthly fee until it is cancelled."""

    number: E164 = Field(serialization_alias="msisdn")
    """Number from routee_list_available_numbers."""

    inbound_sms_url: PostsTo | None = Field(default=None, serialization_alias="inboundSmsCallbackUrl")
    """Where Routee posts received messages."""

    inbound_voice_url: HttpsUrl | None = Field(default=None, serialization_alias="inboundVoiceCallbackUrl")
    """Where Routee posts received calls."""

    dialplan_url: HttpsUrl | None = None
    """Dialplan for calls to it."""

    forward_calls_to: Callee | None = None
    """Number or SIP address its calls go to."""

    @model_validator(mode="after")
    def _calls_go_one_way(self) -> Self:
        """Give dialplan_url or forward_calls_to, not both."""
        if self.dialplan_url and self.forward_calls_to:
            raise ValueError("give either dialplan_url or forward_calls_to")
        return self

    def charge(self) -> Charge:
        return Charge(item="number", rate="number")

    def destinations(self) -> tuple[str, ...]:
        return called_numbers(self.forward_calls_to)

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        return tuple(NumberForward(self.number, to) for to in called_numbers(self.forward_calls_to))

    def preconditions(self) -> tuple[Precondition[Number], ...]:
        return (
            Precondition(GetNumber(number=self.number), lambda _: f"{self.number} is rented by this account already"),
        )

    def warnings(self) -> tuple[str, ...]:
        notes = ("It renews by itself every month until it is cancelled, and inbound traffic costs extra.",)
        return (*notes, "Forwarded calls are billed.") if self.forward_calls_to else notes

    def verification(self, sent_at: datetime) -> Verification[Number]:
        # A number that is there may have been rented before: then it renews earlier than a month after the call.

        def is_new(found: Number) -> Evidence:
            began_since = is_since(found.next_renewal, a_month_later(sent_at), whole_seconds=True)
            return Evidence.yes_if(began_since and self._is_set(found) is Evidence.YES)

        return Verification(read=GetNumber(number=self.number), check=is_new, if_absent=Evidence.NO)

    def _is_set(self, found: Number) -> Evidence:
        wanted = without_none(
            inbound_sms_url=self.inbound_sms_url,
            inbound_voice_url=self.inbound_voice_url,
            dialplan_url=self.dialplan_url,
            forward_calls_to=self.forward_calls_to,
        )
        if not wanted:
            return Evidence.YES  # the number was rented without settings
        return same_fields(wanted, found.settings() | without_none(forward_calls_to=found.forwarded_to))

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="partial",
            operation=CancelNumber(number=self.number),
            lost="Activation and the month's fee stay charged (inferred); the number may go to somebody else.",
        )

    def to_wire(self) -> dict[str, Any]:
        number, sip = called_numbers(self.forward_calls_to), self.forward_calls_to
        ways = without_none(
            dialplanUrl=self.dialplan_url,
            forwardCallTo=sip if number else None,
            forwardCallToSip=None if number else sip,
        )
        return wire_fields(self, exclude=frozenset({"dialplan_url", "forward_calls_to"})) | (
            {"voiceInboundStrategy": ways} if ways else {}
        )


@routee.operation(
    "PUT",
    "/numbers/my/{number}",
    effect=Effect.REROUTES,
    subject="Change {settings} of {number}",
    toolset="numbers",
    docs="update-a-number",
    basis=ANSWER_ON_PAGE,
    confirmed_by=("tracking_id", "number"),
    synonyms=("callback", "webhook", "redirect", "inbound", "dialplan"),
)
class UpdateNumber(Operation[Number]):
    """Change where a rented number's messages and calls go."""

    number: E164Digits
    """Number from routee_list_numbers."""

    inbound_sms_url: PostsTo | None = Field(default=None, serialization_alias="inboundSmsCallbackUrl")
    """Where Routee posts received messages."""

    inbound_voice_url: HttpsUrl | None = Field(default=None, serialization_alias="inboundVoiceCallbackUrl")
    """Where Routee posts received calls."""

    dialplan_url: HttpsUrl | None = None
    """Dialplan for calls to it."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        """Give at least one address."""
        if not (self.inbound_sms_url or self.inbound_voice_url or self.dialplan_url):
            raise ValueError("give inbound_sms_url, inbound_voice_url or dialplan_url")
        return self

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return ("Whether settings that are left out are kept or cleared is not documented.",)

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, Number):
            return ()
        if self.dialplan_url and before.forwarded_to:
            return (f"Calls no longer go to {before.forwarded_to}.",)
        return ()

    def differences(self, before: Any) -> tuple[Difference, ...]:
        if not isinstance(before, Number):
            return ()
        return differences(dict.fromkeys(self._wanted()) | before.settings(), self._wanted())

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(read=GetNumber(number=self.number), check=self._is_set)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        old = before.settings()
        lost = [f"No call clears {name}, which was not set before." for name in self._wanted() if name not in old]
        if self.dialplan_url and before.forwarded_to:
            lost.append(f"No call forwards to {before.forwarded_to} again; only renting does.")
        return put_back(UpdateNumber, number=self.number, lost=" ".join(lost), **old)

    def to_wire(self) -> dict[str, Any]:
        wire = wire_fields(self, exclude=frozenset({"dialplan_url"}))
        return wire | ({"voiceInboundStrategy": {"dialplanUrl": self.dialplan_url}} if self.dialplan_url else {})

    def _is_set(self, found: Number) -> Evidence:
        return same_fields(self._wanted(), found.settings())

    def _wanted(self) -> dict[str, str]:
        return without_none(
            inbound_sms_url=self.inbound_sms_url,
            inbound_voice_url=self.inbound_voice_url,
            dialplan_url=self.dialplan_url,
        )


@routee.operation(
    "DELETE",
    "/numbers/my/{number}",
    effect=Effect.DESTRUCTIVE,
    subject="Release {number} for good",
    toolset="numbers",
    docs="cancel-a-number",
    basis=ANSWER_INFERRED,
    may_be_empty=True,
    irreversible=True,
    synonyms=("release", "give up", "drop", "stop paying", "delete"),
)
class CancelNumber(Operation[Done]):
    """Release a rented number for good; its monthly fee ends."""

    number: E164Digits
    """Number from routee_list_numbers."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def warnings(self) -> tuple[str, ...]:
        return ("The number is lost and leaves its pool; whether anything is refunded is not documented.",)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return verify_removal(GetNumber(number=self.number))


def a_month_later(moment: datetime) -> datetime:
    """Return the same day of the next month, or its last day."""
    years, month = divmod(moment.month, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
