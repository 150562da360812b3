"""Enswitch telephone lines and the hardware that is provisioned with them.

Rests on guides 4.1, 4.2 and 4.4 and an operator's copy. The pages of phones/create and update were read as far as
`direct` and `dnumber`: what follows, and the groups `callerid_*` and `callername_*`, are left out; so are acr, btype,
bnumber, codec, delivery, dialplan, direct and provision1. SIP passwords are made by the server and never read back
(phones/get's `password`).
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import KeptFromModel, LooseText, Secret
from clients.operation import Answer, Operation, Undo, Verification
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    Flag,
    Id,
    ShownNumber,
    SpendLimit,
    Text,
    Whole,
    Words,
    dialled_numbers,
    new_password,
)
from tools.enswitch.groups import Accepted, Created, Destination, ForCustomer, Listing, Paged
from tools.enswitch.updates import restore_settings, same_settings, settings_of, verify_settings
from tools.enswitch.versions import Version


class Phone(Answer):
    """A telephone line. Columns are named as the parameters are (inferred)."""

    name: str | None = None
    customer: int | None = None
    description: str | None = None
    owner: int | None = None
    registered: bool | None = None
    dnd: bool | None = None
    """Do not disturb."""

    dtype: str | None = None
    dnumber: ShownNumber | None = None
    btype: str | None = None
    bnumber: ShownNumber | None = None
    acr: bool | None = None
    allowed_ua: str | None = None
    aoc: bool | None = None
    call_maximum: LooseText | None = None
    codec: str | None = None
    cos: int | None = None
    delivery: str | None = None
    dialplan: LooseText | None = None
    direct: bool | None = None


class Phones(Listing):
    """Telephone lines."""

    phones: list[Phone] = []


@enswitch.function(
    "phones/list",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    synonyms=("extensions", "lines", "sip accounts", "devices", "handsets"),
)
class ListPhones(Paged, ForCustomer, Operation[Phones]):
    """List a customer's telephone lines."""


@enswitch.function(
    "phones/list/panel",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    guide="4.1",
    rows="phones",
    synonyms=("operator panel", "switchboard", "presence"),
)
class ListPanelPhones(ForCustomer, Operation[Phones]):
    """List telephone lines in brief, as the panel shows them."""


@enswitch.function(
    "phones/system/list",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    rows="phones",
    synonyms=("online", "offline", "registrations", "sip status", "all lines"),
)
class ListSystemPhones(Operation[Phones]):
    """List the telephone lines of all customers, by whether they are registered."""

    registered: Literal[-1, 0, 1] = -1
    """1 only registered ones, 0 only others, -1 all."""


@enswitch.function(
    "phones/get",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    guide="4.2",
    synonyms=("extension", "show", "line settings", "registered"),
)
class GetPhone(Operation[Phone]):
    """Show a telephone line, without its password."""

    name: Words
    """From enswitch_list_phones."""


class PhoneSettings(BaseModel):
    """Settings of a telephone line."""

    call_maximum: SpendLimit | None = None
    """Most to spend on calls; -1 for no limit."""

    cos: Whole | None = None
    """Class of service."""

    description: Text | None = None
    """Description."""


@enswitch.function(
    "phones/create",
    effect=Effect.PAID | Effect.PRIVILEGED,
    subject="Create the telephone line {name}",
    toolset="telephony",
    synonyms=("extension", "add line", "sip account", "handset", "provision"),
)
class CreatePhone(PhoneSettings, ForCustomer, Operation[Accepted]):
    """Create a telephone line with a password kept for the operator; a fee is charged. Not every setting is offered."""

    name: Words
    """SIP user name."""

    password: Annotated[Secret, KeptFromModel(generate=new_password)]
    """SIP password."""

    allowed_ua: Text | None = None
    """User agents that may register."""

    aoc: Flag | None = None
    """Advice of charge."""

    def charge(self) -> Charge:
        return Charge(item="telephone line", unknown="A creation fee is charged; no document names the amount.")

    def warnings(self) -> tuple[str, ...]:
        if self.call_maximum is not None and self.call_maximum >= 0:
            return ()
        return ("Without call_maximum, whoever has the password can call without limit.",)

    def verification(self, sent_at: datetime) -> Verification[Phone]:
        # A line of this name may be an older one, for no read shows whose password it has.
        read = GetPhone(name=self.name)
        return Verification(
            read=read, check=lambda found: same_settings(settings_of(self), found), if_absent=Evidence.NO
        )


@enswitch.function(
    "phones/update",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Change {settings} of the telephone line {name}",
    toolset="telephony",
    synonyms=("extension", "forward", "do not disturb", "dnd", "sip password"),
)
class UpdatePhone(PhoneSettings, Destination, Operation[Accepted]):
    """Change a telephone line; what is left out stays. Not every setting is offered."""

    name: Words
    """From enswitch_list_phones."""

    aoc: Flag
    """Advice of charge, as enswitch_get_phone shows it: it is reset if not sent."""

    allowed_ua: Text
    """User agents that may register, as enswitch_get_phone shows them: reset if not sent."""

    dnd: Flag | None = None
    """Do not disturb."""

    password: Annotated[Secret | None, KeptFromModel(generate=new_password)] = None
    """Set a new SIP password, kept for the operator."""

    def before(self) -> GetPhone:
        return GetPhone(name=self.name)

    def undo(self, before: Any, answer: Any) -> Undo:
        return restore_settings(self, before, "name")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        return verify_settings(self, "name")

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber))

    def warnings(self) -> tuple[str, ...]:
        return ("Devices with the old password stop working.",) if self.password is not None else ()


@enswitch.function(
    "phones/unregister",
    effect=Effect.DESTRUCTIVE,
    subject="Unregister the telephone line {name}",
    toolset="telephony",
    unverifiable="the device registers again by itself",
    synonyms=("kick", "log off", "disconnect", "reset registration"),
)
class UnregisterPhone(Operation[Accepted]):
    """Unregister a telephone line: it cannot be called until its device registers again."""

    name: Words
    """From enswitch_list_phones."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="The device registers again by itself.")


@enswitch.function(
    "phones/hardware/create",
    effect=Effect.PRIVILEGED,
    subject="Provision the device {hardware_address} for the line {phone}",
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists devices",
    synonyms=("mac address", "provision", "desk phone", "handset"),
)
class CreatePhoneHardware(Operation[Created]):
    """Provision a device for a telephone line: whoever holds the device gets the line's settings."""

    phone: Words
    """From enswitch_list_phones."""

    hardware_address: Words
    """The device's hardware address."""

    provisioning: Text | None = None
    """Provisioning template."""

    def undo(self, before: Any, answer: Any) -> Undo:
        made = getattr(answer, "id", None)
        if made is None:
            return Undo(verdict="none", lost="Enswitch did not name the device's id.")
        return Undo(verdict="full", operation=DeletePhoneHardware(id=made))


@enswitch.function(
    "phones/hardware/delete",
    effect=Effect.DESTRUCTIVE,
    subject="Stop provisioning device {id}",
    toolset="telephony",
    unverifiable="no documented call lists devices",
    synonyms=("mac address", "unprovision", "desk phone", "remove device"),
)
class DeletePhoneHardware(Operation[Accepted]):
    """Stop provisioning a device; from Enswitch 4.3 on."""

    added_in: ClassVar[Version] = (4, 3)

    id: Id
    """Device; no documented call lists them."""
