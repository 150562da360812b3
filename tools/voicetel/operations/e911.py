"""VoiceTel e911: the address that dispatchers are given when somebody calls 911 from a number.

Paths and fields are documented. Inferred: that creating replaces an existing record, and that a change answers 401 for
a number that is not on the account, as the read is documented to. From VoiceTel's site instead of its API page: caller
names of at most 20 characters, addresses in the United States only, up to 24 hours until dispatchers see a change.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, ValidationError

from clients.effects import Charge, Effect, WorstCase
from clients.errors import InvalidRequest, NotFound
from clients.evidence import Evidence, all_present
from clients.fields import AnsweredNumber, UsNumber
from clients.operation import Answer, Done, Operation, Undo, Verification
from tools.voicetel.client import voicetel

Text = Annotated[str, Field(min_length=1)]
StateCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
ZipCode = Annotated[str, Field(pattern=r"^[0-9]{5}(-[0-9]{4})?$")]
CallerName = Annotated[str, Field(min_length=1, max_length=20)]

_PRICE: Final = Charge(item="e911 record", per="month", unknown="VoiceTel publishes no e911 rate for the account.")
_WORST_CASE: Final = WorstCase(Decimal("2.50"), "VoiceTel's price list (a draft)")
_WARNINGS: Final = (
    "Help is sent to this address when somebody calls 911 from the number.",
    "Dispatchers may see the old record for up to 24 hours.",
)


_POST_BOX: Final = re.compile(
    r"""\b(?:
        p[\s.]*o[\s.]*(?:box|drawer|bin) | post(?:al)?[\s-]*(?:office)?[\s-]*(?:box|drawer) | box\s*\#?\s*[0-9] |
        (?:pmb|private\s+mail\s*box|caller\s+service)\b | mail\s*box\s*\#?\s*[0-9] | general\s+delivery |
        (?:rr|hc|rural\s+route|highway\s+contract)\s*\#?\s*[0-9]
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Addresses of mail, not of a place, as Publication 28 of the US Postal Service writes them."""

_NO_PLACE: Final = (
    "THIS LOOKS LIKE A POST BOX: an ambulance cannot be sent to one. Give the street address where callers are."
)


class ValidatedAddress(Answer):
    """An address as the emergency database knows it."""

    address_id: int | None = Field(default=None, alias="addressid")
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None


class Validation(Answer):
    """A valid address, normalised."""

    address: ValidatedAddress | None = None


@voicetel.operation(
    "POST",
    "/v2.2/e911/validations",
    effect=Effect.READ,
    toolset="e911",
    docs="#e911Validate",
    refusals={409: InvalidRequest},
    synonyms=("check", "emergency", "911", "verify", "correct address"),
)
class ValidateE911Address(Operation[Validation]):
    """Check a US street address for e911; returns it normalised, with its `address_id`. Registers nothing."""

    address1: Text
    """Street line, such as 411 Hackensack Avenue."""

    address2: str | None = None
    """Apartment, suite or floor."""

    city: Text
    """City."""

    state: StateCode
    """State, two letters."""

    zip: ZipCode
    """ZIP code."""


class E911Record(Answer):
    """What dispatchers are shown for a number."""

    number: AnsweredNumber | None = Field(default=None, alias="dn")
    caller_name: str | None = Field(default=None, alias="callername")
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None


class E911Answer(Answer):
    """The record of one number."""

    record: E911Record | None = None


@voicetel.operation(
    "GET",
    "/v2.2/e911/{number}",
    effect=Effect.READ,
    toolset="e911",
    docs="#e911QueryRecord",
    refusals={401: NotFound},
    synonyms=("emergency", "911", "registered address", "show"),
)
class GetE911Record(Operation[E911Answer]):
    """Show the emergency (911) record of one number: caller name and address."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


class E911Records(Answer):
    """Every e911 record of the account."""

    records: list[E911Record] = []

    def of(self, number: str) -> E911Record | None:
        """Return the record of one number, in E.164."""
        return next((record for record in self.records if record.number == number), None)

    def shows(self, number: str) -> Evidence:
        """Whether there is a record of one number, in E.164."""
        return all_present([number], [record.number for record in self.records])


@voicetel.operation(
    "GET",
    "/v2.2/e911",
    effect=Effect.READ,
    toolset="e911",
    docs="#e911QueryAll",
    empty_on=404,
    rows="records",
    synonyms=("emergency", "911", "all", "which numbers have"),
)
class ListE911Records(Operation[E911Records]):
    """List the emergency (911) records of all numbers."""


@voicetel.operation(
    "POST",
    "/v2.2/e911",
    effect=Effect.PAID | Effect.DESTRUCTIVE,
    subject="Register {address1:text} in {city:text}, {state}, as the 911 address of {number}",
    toolset="e911",
    docs="#e911Create",
    worst_case=_WORST_CASE,
    synonyms=("emergency", "911", "register address", "add", "set up"),
)
class CreateE911Record(Operation[E911Answer]):
    """Register a US street address as a number's emergency (911) address, replacing the one before."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    caller_name: CallerName = Field(serialization_alias="callername")
    """Name that dispatchers see."""

    address1: Text
    """Street line, as voicetel_validate_e911_address returns it."""

    address2: str | None = None
    """Apartment, suite or floor."""

    city: Text
    """City."""

    state: StateCode
    """State, two letters."""

    zip: ZipCode
    """ZIP code."""

    sets: ClassVar[Mapping[str, str]] = {
        name: f"record.{name}" for name in ("caller_name", "address1", "address2", "city", "state", "zip")
    }

    def charge(self) -> Charge:
        return _PRICE

    def warnings(self) -> tuple[str, ...]:
        lines = (self.address1, self.address2 or "")
        return (_NO_PLACE, *_WARNINGS) if any(_POST_BOX.search(line) for line in lines) else _WARNINGS

    def before(self) -> GetE911Record:
        return GetE911Record(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        return _put_back(self.number, before)

    def verification(self, sent_at: datetime) -> Verification[E911Records]:
        return Verification(read=ListE911Records(), check=self._is_registered)

    def to_wire(self) -> dict[str, Any]:
        wire = super().to_wire()
        return {"dn": wire.pop("number"), **wire}

    def _is_registered(self, found: E911Records) -> Evidence:
        # An address comes back normalised, so one that differs a little may be this one, or the one before it.
        record = found.of(self.number)
        if record is None:
            return found.shows(self.number)
        if _is_of_another(record, self.caller_name) or self._is_elsewhere(record):
            return Evidence.NO
        same_name = _words(record.caller_name) == _words(self.caller_name)
        return Evidence.yes_if(same_name and self._is_at(record))

    def _is_at(self, record: E911Record) -> bool:
        """Return True if the whole address agrees; a suite may be in either line, and a ZIP code without its +4."""
        shown = (_words(record.address1, record.address2), _words(record.city), _words(record.state))
        return shown == (_words(self.address1, self.address2), _words(self.city), _words(self.state)) and (
            (record.zip or "")[:5] == self.zip[:5]
        )

    def _is_elsewhere(self, record: E911Record) -> bool:
        """Return True if house number and ZIP code both differ: correcting an address changes at most one of them."""
        if not (record.address1 and record.zip):
            return False
        return _words(record.address1)[:1] != _words(self.address1)[:1] and record.zip[:5] != self.zip[:5]


@voicetel.operation(
    "PUT",
    "/v2.2/e911/{number}",
    effect=Effect.PAID | Effect.DESTRUCTIVE,
    subject="Bind address {address_id} to {number} as its 911 address",
    toolset="e911",
    docs="#e911ProvisionAddress",
    worst_case=_WORST_CASE,
    refusals={401: NotFound},
    synonyms=("emergency", "911", "change address", "move", "provision"),
)
class UpdateE911Record(Operation[E911Answer]):
    """Bind a validated address to a number's emergency (911) record, replacing what stood there."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    address_id: int = Field(serialization_alias="addressid")
    """`address_id` from voicetel_validate_e911_address."""

    caller_name: CallerName = Field(serialization_alias="callername")
    """Name that dispatchers see."""

    sets: ClassVar[Mapping[str, str]] = {"caller_name": "record.caller_name"}

    def charge(self) -> Charge:
        return _PRICE

    def warnings(self) -> tuple[str, ...]:
        return _WARNINGS

    def before(self) -> GetE911Record:
        return GetE911Record(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        return _put_back(self.number, before)

    def verification(self, sent_at: datetime) -> Verification[E911Records]:
        return Verification(read=ListE911Records(), check=self._is_registered)

    def _is_registered(self, found: E911Records) -> Evidence:
        # A record does not name its `address_id`, so only another caller name proves anything.
        record = found.of(self.number)
        return found.shows(self.number) if record is None else Evidence.no_if(_is_of_another(record, self.caller_name))


@voicetel.operation(
    "DELETE",
    "/v2.2/e911/{number}",
    effect=Effect.DESTRUCTIVE,
    subject="Remove the 911 address of {number}",
    toolset="e911",
    docs="#e911RecordDelete",
    refusals={401: NotFound},
    synonyms=("emergency", "911", "remove", "unregister"),
)
class DeleteE911Record(Operation[Done]):
    """Remove a number's emergency (911) record; its 911 calls then carry no address."""

    number: UsNumber
    """Number with a record, from voicetel_list_e911_records."""

    def warnings(self) -> tuple[str, ...]:
        return ("Dispatchers will not know where a 911 call from this number comes from.",)

    def before(self) -> GetE911Record:
        return GetE911Record(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        return _put_back(self.number, before)

    def verification(self, sent_at: datetime) -> Verification[E911Records]:
        return Verification(
            read=ListE911Records(),
            check=lambda found: found.shows(self.number).opposite,
            must_be_new=True,
            check_before=lambda before: Evidence.no_if(before.record is not None),
        )


def _put_back(number: str, before: Any) -> Undo:
    """Register the record that stood before. Never deletes: a number that was not read may have had one."""
    record = before.record if isinstance(before, E911Answer) else None
    if record is None:
        return Undo(verdict="none", lost="No earlier record was read. voicetel_delete_e911_record removes this one.")
    old = record.model_dump(exclude={"number"}, exclude_none=True)
    try:
        again = CreateE911Record.model_validate({**old, "number": number})
    except ValidationError:
        return Undo(verdict="none", lost="The earlier record is not complete enough to be registered again.")
    return Undo(
        verdict="partial",
        operation=again,
        lost="What was charged stays charged, and dispatchers may see the change for up to 24 hours.",
    )


def _is_of_another(record: E911Record, caller_name: str) -> bool:
    """Return True if the record shows another name, and not this one without punctuation or cut short."""
    shown, wanted = ("".join(_words(name)) for name in (record.caller_name, caller_name))
    return bool(shown) and not (shown.startswith(wanted) or wanted.startswith(shown))


def _words(*lines: str | None) -> list[str]:
    """Return the words, without the case, spaces and punctuation that a provider normalises."""
    return re.findall(r"\w+", " ".join(line for line in lines if line).casefold())
