"""Groups of contacts."""

from typing import Annotated, Literal

from pydantic import Field

from sandbox.routee.endpoint import Body, Call, Query
from sandbox.routee.fields import GroupName, PageQuery
from sandbox.routee.operations.contacts import ContactsQuery, Ids, require_contact
from sandbox.routee.records import Contact
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, Wire, ok, page_of, refused


class GroupBody(Body):
    """Body of `POST /groups/my`."""

    name: GroupName


class CombinationBody(GroupBody):
    """Body of merge and difference: the new group and those it is made of."""

    groups: Annotated[list[str], Field(min_length=2)]


class DeletionQuery(Query):
    """Whether the people in the groups are deleted too."""

    deleteContacts: Literal["true", "false"] = "false"


def create_group(call: Call, body: GroupBody) -> Answer:
    """Make an empty group."""
    return ok(_make(call.state, body.name, []))


def list_groups(call: Call) -> Answer:
    """Every group, as a bare array."""
    return ok([_wire(call.state, name) for name in call.state.groups])


def page_groups(call: Call, query: PageQuery) -> Answer:
    """Every group, paged."""
    return page_of([_wire(call.state, name) for name in call.state.groups], query.page, query.size)


def show_group(call: Call) -> Answer:
    """One group and its size."""
    return ok(_wire(call.state, _known(call.state, call.path["name"])))


def delete_groups(call: Call, query: DeletionQuery, body: Ids) -> Answer:
    """Delete groups, and with `deleteContacts` also the people in them."""
    with_contacts = query.deleteContacts == "true"
    names = [_known(call.state, name) for name in dict.fromkeys(body)]
    for name in names:
        for contact in _members(call.state, name):
            contact.groups.remove(name)
            if with_contacts:
                del call.state.contacts[contact.id]
        call.state.groups.remove(name)
    return ok([{"name": name, "deletedContacts": with_contacts} for name in names])


def merge_groups(call: Call, body: CombinationBody) -> Answer:
    """A new group with everybody of the given ones."""
    members = {identifier for name in body.groups for identifier in _ids(call.state, name)}
    return ok(_make(call.state, body.name, sorted(members)))


def subtract_groups(call: Call, body: CombinationBody) -> Answer:
    """A new group with those of the first that are in none of the others (which way round is inferred)."""
    first, *others = [set(_ids(call.state, name)) for name in body.groups]
    return ok(_make(call.state, body.name, sorted(first.difference(*others))))


def list_members(call: Call, query: ContactsQuery) -> Answer:
    """The people in a group."""
    members = _members(call.state, _known(call.state, call.path["name"]))
    return page_of([contact.to_wire() for contact in members], query.page, query.size)


def add_members(call: Call, body: Ids) -> Answer:
    """Put people into a group."""
    name = _known(call.state, call.path["name"])
    for contact in [require_contact(call.state, identifier) for identifier in body]:
        if name not in contact.groups:
            contact.groups.append(name)
    return ok(_wire(call.state, name))


def remove_members(call: Call, body: Ids) -> Answer:
    """Take people out of a group; they stay contacts."""
    name = _known(call.state, call.path["name"])
    for contact in [require_contact(call.state, identifier) for identifier in body]:
        if name in contact.groups:
            contact.groups.remove(name)
    return ok(_wire(call.state, name))


def _make(state: State, name: str, members: list[str]) -> Wire:
    if name in state.groups:
        # inferred: the code is documented, that it means a taken name is not
        raise refused("409002013", "A group with this name exists.")
    state.groups.append(name)
    for identifier in members:
        state.contacts[identifier].groups.append(name)
    return _wire(state, name)


def _known(state: State, name: str) -> str:
    if name not in state.groups:
        raise refused("404002012", f"The group {name} does not exist.")
    return name


def _members(state: State, name: str) -> list[Contact]:
    return [contact for contact in state.contacts.values() if name in contact.groups]


def _ids(state: State, name: str) -> list[str]:
    return [contact.id for contact in _members(state, _known(state, name))]


def _wire(state: State, name: str) -> Wire:
    return {"name": name, "size": len(_members(state, name))}
