"""Contacts, their labels, and the blacklist of each service."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sandbox.routee.endpoint import Body, Call, Query
from sandbox.routee.fields import PageQuery, Phone, Text
from sandbox.routee.networks import is_mobile, require_country
from sandbox.routee.records import SERVICES, Contact
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, invalid, nothing, ok, page_of, refused

Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]

DEFAULT_LABELS = ("firstName", "lastName", "mobile", "email", "country")
Ids = list[str]


class LabelValue(Body):
    """One label of a contact."""

    name: Text
    value: str


class ContactBody(Body):
    """Body of `POST /contacts/my` and of `PUT /contacts/my/{id}`, which replaces everything (inferred)."""

    mobile: Phone
    firstName: Name | None = None
    lastName: Name | None = None
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    vip: bool = False
    labels: list[LabelValue] = []


class LabelBody(Body):
    """A label to make."""

    name: Text
    type: Literal["Text", "Number"]


class BlacklistEntry(Body):
    """A contact to be blacklisted, as an old SDK sends it."""

    id: str


class ContactsQuery(PageQuery):
    """Which page of the address book."""

    size: int = Field(default=20, ge=1, le=2000)


class MobileQuery(Query):
    """The number to look for; '+' has to be written %2B."""

    value: str


Blacklisting = list[BlacklistEntry]
Labels = list[LabelBody]


def create_contact(call: Call, body: ContactBody) -> Answer:
    """Add a person to the address book."""
    contact = Contact(call.state.new_id("contact"), body.mobile, "")
    _fill(call.state, contact, body)
    call.state.contacts[contact.id] = contact
    return ok(contact.to_wire())


def list_contacts(call: Call, query: ContactsQuery) -> Answer:
    """Everybody in the address book."""
    items = [contact.to_wire() for contact in call.state.contacts.values()]
    return page_of(items, query.page, query.size)


def show_contact(call: Call) -> Answer:
    """One person."""
    return ok(require_contact(call.state, call.path["id"]).to_wire())


def update_contact(call: Call, body: ContactBody) -> Answer:
    """Replace what is known about a person."""
    contact = require_contact(call.state, call.path["id"])
    _fill(call.state, contact, body)
    return ok(contact.to_wire())


def delete_contact(call: Call) -> Answer:
    """Remove a person; the answer is inferred."""
    contact = require_contact(call.state, call.path["id"])
    del call.state.contacts[contact.id]
    return nothing()


def delete_contacts(call: Call, body: Ids) -> Answer:
    """Remove several; one unknown id refuses all (inferred)."""
    for contact in [require_contact(call.state, identifier) for identifier in dict.fromkeys(body)]:
        del call.state.contacts[contact.id]
    return nothing()


def find_mobile(call: Call, query: MobileQuery) -> Answer:
    """HEAD: 200 if a contact has this number, else 404 (inferred; one old SDK knows the call)."""
    if call.state.contact_with(query.value) is None:
        raise refused("404002001", "There is no contact with this mobile.")
    return nothing()


def list_labels(call: Call) -> Answer:
    """Every label with its type; the built-in ones are text."""
    return ok(dict.fromkeys(DEFAULT_LABELS, "Text") | call.state.labels)


def create_labels(call: Call, body: Labels) -> Answer:
    """Make labels; one that exists refuses all."""
    known = {*DEFAULT_LABELS, *call.state.labels}
    if any(label.name in known for label in body):
        raise refused("409002011", "A label with this name exists.")
    call.state.labels |= {label.name: label.type for label in body}
    return ok([{"name": label.name, "type": label.type} for label in body])


def list_blacklisted(call: Call) -> Answer:
    """An array of the contacts that a service does not reach."""
    service = _service(call)
    return ok([contact.to_wire() for contact in call.state.contacts.values() if service in contact.blacklisted])


def blacklist_contacts(call: Call, body: Blacklisting) -> Answer:
    """Keep a service from reaching contacts."""
    service = _service(call)
    contacts = [require_contact(call.state, entry.id) for entry in body]
    fresh = [contact for contact in contacts if service not in contact.blacklisted]
    for contact in fresh:
        contact.blacklisted.append(service)
    return ok({"updated": len(fresh)})


def unblacklist_contacts(call: Call, body: Blacklisting) -> Answer:
    """Let a service reach contacts again."""
    contacts = [require_contact(call.state, entry.id) for entry in body]
    return ok({"updated": _unblacklist(_service(call), contacts)})


def unblacklist_groups(call: Call, body: Ids) -> Answer:
    """Let a service reach everybody in these groups again."""
    if unknown := [name for name in body if name not in call.state.groups]:
        raise refused("404002012", f"The group {unknown[0]} does not exist.")
    members = [contact for contact in call.state.contacts.values() if set(body) & set(contact.groups)]
    return ok({"updated": _unblacklist(_service(call), members)})


def require_contact(state: State, identifier: str) -> Contact:
    """The contact with an id.

    Raises:
        Refusal: 404002001 if there is none.
    """
    contact = state.contacts.get(identifier)
    if contact is None:
        raise refused("404002001", f"The contact {identifier} does not exist.")
    return contact


def _unblacklist(service: str, contacts: list[Contact]) -> int:
    listed = [contact for contact in contacts if service in contact.blacklisted]
    for contact in listed:
        contact.blacklisted.remove(service)
    return len(listed)


def _service(call: Call) -> str:
    service = call.path["service"]
    if service not in SERVICES:
        raise invalid(f"{service} is not a service.", {"service": f"one of {', '.join(SERVICES)}"})
    return service


def _fill(state: State, contact: Contact, body: ContactBody) -> None:
    if not is_mobile(body.mobile):
        raise refused("400002006", f"{body.mobile} is not a valid mobile number.")
    holder = state.contact_with(body.mobile)
    if holder is not None and holder is not contact:
        raise refused("409002005", "A contact with this mobile exists.")
    labels = {label.name: label.value for label in body.labels}
    if unknown := labels.keys() - state.labels.keys():
        raise refused("400002014", f"The label {min(unknown)} does not exist.")
    contact.mobile = body.mobile
    contact.country = require_country(body.mobile).iso
    contact.first_name, contact.last_name = body.firstName or "", body.lastName or ""
    contact.email, contact.vip, contact.labels = body.email or "", body.vip, labels
