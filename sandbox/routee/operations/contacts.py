"""Contacts, their labels, and the blacklist of each service."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sandbox.frame.inputs import Body, Found
from sandbox.frame.wire import Answer
from sandbox.routee.endpoint import SDK, SOURCES, Call, operation
from sandbox.routee.fields import PageQuery, Phone, Text
from sandbox.routee.networks import is_mobile, require_country
from sandbox.routee.records import SERVICES, Contact
from sandbox.routee.state import State
from sandbox.routee.wire import empty, ok, refuse, refuse_input

BLACKLIST = "/contacts/my/blacklist/{service}"
DEFAULT_LABELS = ("firstName", "lastName", "mobile", "email", "country")
Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
PathContact = Annotated[Contact, Found(lambda call: call.state.require_contact(call.path["id"]))]


class ContactsQuery(PageQuery):
    """Which page of the address book."""

    size: int = Field(default=20, ge=1, le=2000)


class LabelValue(Body):
    """One label of a contact."""

    name: Text
    type: Literal["Text", "Number"] | None = None
    value: str | Decimal


class ContactBody(Body):
    """Body of `POST /contacts/my` and of `PUT /contacts/my/{id}`, which replaces everything (inferred)."""

    mobile: Phone
    firstName: Name | None = None
    lastName: Name | None = None
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    vip: bool = False
    labels: list[LabelValue] = []


class NewLabel(Body):
    """A label to make."""

    name: Text
    type: Literal["Text", "Number"]


class BlacklistEntry(Body):
    """A contact to be blacklisted, as an old SDK sends it."""

    id: str


@operation("POST", "/contacts/my", SOURCES, "contact")
def create_contact(call: Call, body: ContactBody) -> Answer:
    """Add a person to the address book."""
    contact = Contact(call.state.new_id("contact"), body.mobile, "")
    _fill(call.state, contact, body)
    call.state.contacts[contact.id] = contact
    return ok(contact.to_wire())


@operation("GET", "/contacts/my", SOURCES, "contact")
def list_contacts(call: Call, query: ContactsQuery) -> Answer:
    """List everybody in the address book."""
    return query.answer([contact.to_wire() for contact in call.state.contacts.values()])


@operation("GET", "/contacts/my/{id}", SOURCES, "contact")
def show_contact(call: Call, contact: PathContact) -> Answer:
    """Show one person."""
    return ok(contact.to_wire())


@operation("PUT", "/contacts/my/{id}", SOURCES, "contact", inferred="everything is replaced")
def update_contact(call: Call, contact: PathContact, body: ContactBody) -> Answer:
    """Replace what is known about a person."""
    _fill(call.state, contact, body)
    return ok(contact.to_wire())


@operation("DELETE", "/contacts/my/{id}", SOURCES, "contact")
def delete_contact(call: Call, contact: PathContact) -> Answer:
    """Remove a person, and show who it was."""
    del call.state.contacts[contact.id]
    return ok(contact.to_wire())


@operation("DELETE", "/contacts/my", SOURCES, "contact")
def delete_contacts(call: Call, body: list[str]) -> Answer:
    """Remove several, and list their ids; one unknown id refuses all (inferred)."""
    contacts = [call.state.require_contact(identifier) for identifier in dict.fromkeys(body)]
    for contact in contacts:
        del call.state.contacts[contact.id]
    return ok([contact.id for contact in contacts])


@operation("HEAD", "/contacts/my/mobile", SDK, "contact", inferred="404 if there is none")
def find_mobile(call: Call, *, value: str) -> Answer:
    """Answer 200 if a contact has this number, else 404 (inferred; one old SDK knows the call); '+' is %2B there."""
    if call.state.contact_with(value) is None:
        raise refuse("404002001", "There is no contact with this mobile.")
    return empty()


@operation("GET", "/contacts/labels/my", SOURCES, "contact")
def list_labels(call: Call) -> Answer:
    """List every label with its type; the built-in ones are text."""
    return ok(dict.fromkeys(DEFAULT_LABELS, "Text") | call.state.labels)


@operation("POST", "/contacts/labels/my", SOURCES, "contact", inferred="the answer")
def create_labels(call: Call, body: list[NewLabel]) -> Answer:
    """Make labels; one that exists refuses all."""
    known = {*DEFAULT_LABELS, *call.state.labels}
    if any(label.name in known for label in body):
        raise refuse("409002011", "A label with this name exists.")
    call.state.labels |= {label.name: label.type for label in body}
    return ok([label.model_dump() for label in body])


@operation("GET", BLACKLIST, SOURCES, "contact")
def list_blacklisted(call: Call) -> Answer:
    """List the contacts that a service does not reach, as an array."""
    service = _service(call)
    return ok([contact.to_wire() for contact in call.state.contacts.values() if service in contact.blacklisted])


@operation("POST", BLACKLIST, SOURCES, "contact")
def blacklist_contacts(call: Call, body: list[BlacklistEntry]) -> Answer:
    """Keep a service from reaching contacts."""
    service = _service(call)
    contacts = [call.state.require_contact(entry.id) for entry in body]
    fresh = [contact for contact in contacts if service not in contact.blacklisted]
    for contact in fresh:
        contact.blacklisted.append(service)
    return ok({"updated": len(fresh)})


@operation("DELETE", BLACKLIST, SOURCES, "contact")
def unblacklist_contacts(call: Call, body: list[BlacklistEntry]) -> Answer:
    """Let a service reach contacts again."""
    contacts = [call.state.require_contact(entry.id) for entry in body]
    return _unblacklist(_service(call), contacts)


@operation("DELETE", f"{BLACKLIST}/groups", SOURCES, "contact")
def unblacklist_groups(call: Call, body: list[str]) -> Answer:
    """Let a service reach everybody in these groups again."""
    groups = {call.state.require_group(name) for name in body}
    return _unblacklist(_service(call), [one for one in call.state.contacts.values() if groups & {*one.groups}])


def _unblacklist(service: str, contacts: list[Contact]) -> Answer:
    listed = [contact for contact in contacts if service in contact.blacklisted]
    for contact in listed:
        contact.blacklisted.remove(service)
    return ok({"updated": len(listed)})


def _service(call: Call) -> str:
    service = call.path["service"]
    if service not in SERVICES:
        raise refuse_input(f"{service} is not a service.", {"service": f"one of {', '.join(SERVICES)}"})
    return service


def _fill(state: State, contact: Contact, body: ContactBody) -> None:
    if not is_mobile(body.mobile):
        raise refuse("400002006", f"{body.mobile} is not a valid mobile number.")
    holder = state.contact_with(body.mobile)
    if holder is not None and holder is not contact:
        raise refuse("409002005", "A contact with this mobile exists.")
    labels = {label.name: label.value for label in body.labels}
    if unknown := labels.keys() - state.labels.keys():
        raise refuse("400002014", f"The label {min(unknown)} does not exist.")
    if wrong := [name for name, value in labels.items() if isinstance(value, str) == (state.labels[name] == "Number")]:
        raise refuse("400002014", f"The label {min(wrong)} is of type {state.labels[min(wrong)]}.")
    contact.mobile = body.mobile
    contact.country = require_country(body.mobile).iso
    contact.first_name, contact.last_name = body.firstName or "", body.lastName or ""
    contact.email, contact.vip, contact.labels = body.email or "", body.vip, labels
    contact.label_types = {name: state.labels[name] for name in labels}
