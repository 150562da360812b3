"""Enswitch's other telephony features: hunt groups, menus, conferences, speed dials, SIP addresses and feature codes.

Rests on guide 4.4. The group `play_*` of conferences is left out, and music, panel, recordgroup, screen, button, count,
allow_forwards, repeats, duration, record_name, language, sname*, destinations a and b of hunt groups, and the time of
conferences. No page shows or deletes what these functions create.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from clients.effects import Effect
from clients.fields import KeptFromModel, LooseText, Secret
from clients.operation import Answer, Operation, Verification, verify_addition
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    CallerIdText,
    Flag,
    Kind,
    ShownNumber,
    Target,
    Text,
    Whole,
    Words,
    dialled_numbers,
    is_given,
    new_pin,
)
from tools.enswitch.groups import Created, DryRun, ForCustomer, Listing
from tools.enswitch.internal_reads import Address, Addresses, FindAddress
from tools.hosts import require_host


class Owned(BaseModel):
    """What most features have."""

    description: Text | None = None
    """Description."""

    owner: Whole | None = None
    """From enswitch_list_people; 0 none."""


@enswitch.function(
    "huntgroups/create",
    effect=Effect.REROUTES,
    subject="Create the hunt group {name:text}[, which rings {dnumber:number}]",
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists hunt groups",
    synonyms=("ring group", "ring all", "team", "department"),
)
class CreateHuntgroup(DryRun, Owned, ForCustomer, Operation[Created]):
    """Create a hunt group, which rings its destinations in turn."""

    name: Words
    """Name."""

    type: Literal["circular", "linear", "smart_circular", "smart_linear"] | None = None
    """Order in which they ring."""

    ringtime: int = Field(default=10, ge=1)
    """Seconds that each rings."""

    dtype: Kind | None = None
    """Type of destination d."""

    dnumber: Target | None = None
    """Destination d."""

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber))


@enswitch.function(
    "ivrs/create",
    effect=Effect.PRIVILEGED,
    subject="Create the voice menu {name:text}",
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists menus",
    synonyms=("menu", "auto attendant", "press 1", "greeting"),
)
class CreateIvr(DryRun, ForCustomer, Operation[Created]):
    """Create a voice menu."""

    name: Words
    """Name."""

    description: Text | None = None
    """Description."""

    allow_number: Flag | None = None
    """Callers may dial any number of the customer."""

    password: Annotated[Secret | None, KeptFromModel(generate=new_pin)] = None
    """Ask callers for a PIN, kept for the operator."""

    speech_reco: Flag | None = None
    """Recognise speech."""

    timeout: Whole = 5
    """Seconds to wait for a key."""


@enswitch.function(
    "conferences/create",
    effect=Effect.PRIVILEGED,
    subject="Create the conference {code}",
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists conferences",
    synonyms=("meeting", "bridge", "room", "dial-in"),
)
class CreateConference(DryRun, Owned, ForCustomer, Operation[Created]):
    """Create a conference with PINs that are kept for the operator."""

    code: Words
    """Code that callers dial."""

    talkpin: Annotated[Secret | None, KeptFromModel(generate=new_pin)] = None
    """Make a PIN for those who may talk."""

    listenpin: Annotated[Secret | None, KeptFromModel(generate=new_pin)] = None
    """Make a PIN for those who listen."""

    adminpin: Annotated[Secret | None, KeptFromModel(generate=new_pin)] = None
    """Make a PIN for who leads it."""

    maximum: Whole | None = None
    """Most participants."""

    @model_validator(mode="after")
    def _has_a_pin(self) -> Self:
        """Generate at least one PIN."""
        if is_given(self, "talkpin", "listenpin", "adminpin") == 0:
            raise ValueError("at least one of generate_talkpin, generate_listenpin and generate_adminpin is true.")
        return self


@enswitch.function(
    "speeddials/create",
    effect=Effect.REROUTES,
    subject="Let {stype} {snumber:number} dial {dnumber:number} by {sdial}",
    toolset="telephony",
    confirmed_by=("id",),
    unverifiable="no documented call lists speed dials",
    synonyms=("short code", "quick dial", "blf", "button", "contact"),
)
class CreateSpeeddial(DryRun, ForCustomer, Operation[Created]):
    """Create a speed dial for a line or person."""

    stype: Kind
    """Type of who uses it, such as phone."""

    snumber: Target
    """Who uses it."""

    sdial: Words
    """Digits to dial."""

    dnumber: Target
    """Number that is called."""

    dname: Text | None = None
    """Name that is shown."""

    description: Text | None = None
    """Description."""

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((None, self.dnumber))


@enswitch.function(
    "addresses/create",
    effect=Effect.REROUTES,
    subject="Create the SIP address {user}@{domain}, which leads to {dtype} {dnumber:number}",
    toolset="telephony",
    confirmed_by=("id",),
    synonyms=("sip uri", "sip address", "alias"),
)
class CreateAddress(DryRun, Owned, ForCustomer, Operation[Created]):
    """Create a SIP address that leads to a destination."""

    user: Words
    """User part."""

    domain: Annotated[Words, AfterValidator(require_host)]
    """Domain."""

    dtype: Kind
    """Destination type, such as phone, queue, external."""

    dnumber: Target
    """Destination: name, id or telephone number."""

    callerid: CallerIdText | None = None
    """Caller ID."""

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber))

    def before(self) -> FindAddress:
        kept = {name: getattr(self, name) for name in FindAddress.model_fields}
        return FindAddress.model_validate(kept)

    def verification(self, sent_at: datetime) -> Verification[Address] | None:
        return None if self.dry_run else verify_addition(self.before())


@enswitch.function(
    "addresses/list",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    rows="addresses",
    synonyms=("sip uris", "sip addresses", "aliases"),
)
class ListAddresses(ForCustomer, Operation[Addresses]):
    """List a customer's SIP addresses."""


class FeatureCode(Answer):
    """A feature code. Its columns are inferred."""

    code: LooseText | None = None
    customer: int | None = None
    description: str | None = None


@enswitch.function(
    "codes/get",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    synonyms=("star code", "vertical service code", "shortcut"),
)
class GetCode(ForCustomer, Operation[FeatureCode]):
    """Show a feature code."""

    code: Words
    """Feature code, such as *97."""


class CodeCaller(Answer):
    """Who may dial a feature code. Its columns besides id and code are inferred."""

    id: int | None = None
    code: LooseText | None = None
    stype: str | None = None
    snumber: ShownNumber | None = None


class CodeCallers(Listing):
    """Who may dial a feature code."""

    callers: list[CodeCaller] = []


@enswitch.function(
    "codes/callers/list",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    synonyms=("star code", "who may dial", "allowed"),
)
class ListCodeCallers(ForCustomer, Operation[CodeCallers]):
    """List who may dial a feature code."""

    code: Words
    """Feature code, such as *97."""
