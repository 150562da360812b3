"""Routee questions about numbers: home-network lookup (HLR) and number validator. Each is billed."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence, is_since
from clients.fields import E164, AnsweredTime, IsoMoment, LooseText
from clients.operation import Answer, Operation, Undo, Verification
from tools.routee.client import routee
from tools.routee.field_types import Amount, Id, Text, iso, same_number, without_none
from tools.routee.filters import Filter
from tools.routee.grades import REQUEST_INFERRED, SEEN
from tools.routee.operations.sms import SEARCH_AHEAD
from tools.routee.paging import Page, Paged

STAYS_CHARGED: Final = "A lookup that was made stays charged."


class Network(Answer):
    """A mobile network."""

    mnc: LooseText | None = None
    name: str | None = None


class RoamingNetwork(Answer):
    """The network of another country that the number is in now."""

    state: str | None = None
    country: str | None = None
    iso: str | None = Field(default=None, alias="countryIsoCode")
    mcc: LooseText | None = Field(default=None, alias="mmc")
    """Mobile country code; the reference spells it `mmc`."""

    mnc: LooseText | None = None
    network: str | None = None


class NumberCountry(Answer):
    """A country."""

    code: str | None = None
    name: str | None = None
    iso3: str | None = Field(default=None, alias="isoA3Code")


class LookupStatus(Answer):
    """Whether the subscriber can be reached."""

    status: str | None = None
    description: str | None = None
    updated_at: AnsweredTime | None = None


class LookupDetails(Answer):
    """Where the number is at home."""

    country: NumberCountry | None = None
    mcc: LooseText | None = None
    network: Network | None = None
    ported: bool | None = None
    ported_network: Network | None = None
    roaming_network: RoamingNetwork | None = None
    imsi: LooseText | None = None


class Lookup(Answer):
    """A lookup. Its price is in the currency of routee_get_balance."""

    lookup_id: str | None = None
    to: LooseText | None = None
    label: str | None = None
    application_name: str | None = None
    created_at: AnsweredTime | None = None
    status: LookupStatus | None = Field(default=None, alias="statusInfo")
    details: LookupDetails | None = None
    price: Amount | None = None


@routee.operation(
    "POST",
    "/lookup",
    effect=Effect.READ | Effect.PAID,
    subject="Ask the home network about {to}",
    toolset="lookups",
    docs="perform-a-lookup-validation-for-a-mobile-nummer",
    basis=SEEN,
    confirmed_by=("lookup_id",),
    synonyms=("hlr", "carrier", "ported", "reachable", "active", "network"),
)
class LookUpNumber(Operation[Lookup]):
    """Ask a mobile number's home network whether it is active, and where; billed."""

    to: E164
    """Mobile number."""

    label: Text | None = None
    """Your tag."""

    def charge(self) -> Charge:
        return Charge(item="lookup", rate="lookup")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=STAYS_CHARGED)

    def verification(self, sent_at: datetime) -> "Verification[Lookups]":
        # The one lookup like it since then shows that it was made; none, and several, prove nothing.
        read = ListLookups(since=sent_at, until=sent_at + SEARCH_AHEAD, limit=500)

        def check(found: Lookups) -> Evidence:
            since = [row for row in found.lookups if is_since(row.created_at, sent_at, whole_seconds=True)]
            alike = [row for row in since if self._is_this(row)]
            are_shown = found.is_whole and all(row.created_at and row.to for row in found.lookups)
            return Evidence.yes_if(len(alike) == 1 and are_shown)

        return Verification(read=read, check=check)

    def _is_this(self, row: Lookup) -> bool:
        return same_number(row.to, self.to) and (row.label or None) == self.label


@routee.operation(
    "GET",
    "/lookup/{lookup_id}",
    effect=Effect.READ,
    toolset="lookups",
    docs="track-a-single-hlr-lookup-record",
    basis=SEEN,
    confirmed_by=("lookup_id",),
    synonyms=("hlr", "result", "price"),
)
class GetLookup(Operation[Lookup]):
    """Show a lookup that was made, with its price."""

    lookup_id: Id
    """`lookup_id` from routee_look_up_number."""


class Lookups(Page):
    """Lookups."""

    lookups: list[Lookup] = Field(default=[], alias="content")


LookupField = Literal["lookupID", "network", "label", "country", "status", "ported", "imsi"]


@routee.operation(
    "POST",
    "/lookup/tracking",
    effect=Effect.READ,
    toolset="lookups",
    docs="track-multiple-hlr-lookup-records-with-filters-for-a-specific-time-range",
    basis=REQUEST_INFERRED,
    synonyms=("hlr", "history", "results"),
)
class ListLookups(Paged[Lookups]):
    """Search lookups that were made, in Routee's order (that the conditions are an array is inferred)."""

    since: IsoMoment | None = None
    """Older bound, with zone."""

    until: IsoMoment | None = None
    """Newer bound, with zone."""

    filters: list[Filter[LookupField]] = []
    """Conditions that all hold."""

    def to_query(self) -> dict[str, Any]:
        times = {"dateStart": self.since, "dateEnd": self.until}
        return {name: iso(moment) for name, moment in times.items() if moment is not None} | self.page_query()

    def to_array(self) -> list[Any]:
        return [one.to_wire() for one in self.filters]


class ValidDetails(Answer):
    """What kind of number it is."""

    country_code: str | None = None
    country_prefix: LooseText | None = None
    type: str | None = None
    network: str | None = None
    network_code: LooseText | None = None
    ported: bool | None = None


class NumberFormats(Answer):
    """The number in several spellings."""

    international: str | None = None
    national: str | None = None
    rfc3966: str | None = None


class HostPlace(Answer):
    """Where the host is."""

    host: str | None = None
    country: str | None = None
    country_iso2: str | None = Field(default=None, alias="countryISO2Code")
    country_iso3: str | None = Field(default=None, alias="countryISO3Code")
    continent: str | None = None


class Validation(Answer):
    """Whether a number can exist."""

    validation_id: str | None = Field(default=None, alias="numberValidatorId")
    to: LooseText | None = None
    valid: bool | None = None
    details: ValidDetails | None = None
    formats: NumberFormats | None = None
    geo: HostPlace | None = None
    application_name: str | None = None
    created_at: AnsweredTime | None = None


@routee.operation(
    "POST",
    "/numbervalidator",
    effect=Effect.READ | Effect.PAID,
    subject="Check which kind of number {to} is",
    toolset="lookups",
    docs="validate",
    basis=SEEN,
    confirmed_by=("validation_id",),
    unverifiable="no call lists validations",
    synonyms=("check number", "mobile or landline", "real", "format", "ported"),
)
class ValidateNumber(Operation[Validation]):
    """Check whether a number can exist and of which kind it is; billed."""

    to: E164
    """Number to check."""

    get_ported: bool = False
    """Say also whether it was ported, which costs more."""

    host: str | None = Field(default=None, min_length=1)
    """Host whose place is compared."""

    def charge(self) -> Charge:
        return Charge(item="validation", rate="validation")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=STAYS_CHARGED)

    def to_wire(self) -> dict[str, Any]:
        return without_none(to=self.to, getPorted=self.get_ported, host=self.host)
