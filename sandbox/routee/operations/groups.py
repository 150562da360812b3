"""Groups of contacts."""

from typing import Annotated

from pydantic import Field, StringConstraints

from sandbox.frame.inputs import Found
from sandbox.frame.wire import Answer, Wire
from sandbox.routee.endpoint import SOURCES, Call, operation
from sandbox.routee.fields import Flag, PageQuery
from sandbox.routee.operations.contacts import ContactsQuery
from sandbox.routee.state import State
from sandbox.routee.wire import ok, refuse

GroupName = Annotated[str, StringConstraints(min_length=2, max_length=30)]
Groups = Annotated[list[str], Field(min_length=1)]
PathGroup = Annotated[str, Found(lambda call: call.state.require_group(call.path["name"]))]


@operation("POST", "/groups/my", SOURCES, "contact")
def create_group(call: Call, *, name: GroupName) -> Answer:
    """Make an empty group."""
    return _create(call.state, name, set())


@operation("GET", "/groups/my", SOURCES, "contact", inferred="a bare array")
def list_groups(call: Call) -> Answer:
    """List every group, as a bare array."""
    return ok([_to_wire(call.state, name) for name in call.state.groups])


@operation("GET", "/groups/my/page", SOURCES, "contact", inferred="page and size")
def page_groups(call: Call, query: PageQuery) -> Answer:
    """List every group, paged."""
    return query.answer([_to_wire(call.state, name) for name in call.state.groups])


@operation("GET", "/groups/my/{name}", SOURCES, "contact")
def show_group(call: Call, name: PathGroup) -> Answer:
    """Show one group and its size."""
    return ok(_to_wire(call.state, name))


@operation("DELETE", "/groups/my", SOURCES, "contact")
def delete_groups(call: Call, body: list[str], *, deleteContacts: Flag = "false") -> Answer:
    """Delete groups, and with `deleteContacts` also the people in them."""
    with_contacts = deleteContacts == "true"
    names = [call.state.require_group(name) for name in dict.fromkeys(body)]
    for name in names:
        for contact in call.state.members(name):
            contact.groups.remove(name)
            if with_contacts:
                del call.state.contacts[contact.id]
        call.state.groups.remove(name)
    return ok([{"name": name, "deletedContacts": with_contacts} for name in names])


@operation("POST", "/groups/my/merge", SOURCES, "contact")
def merge_groups(call: Call, *, name: GroupName, groups: Groups) -> Answer:
    """Make a new group with everybody of the given ones."""
    return _create(call.state, name, {identifier for group in groups for identifier in _ids(call.state, group)})


@operation("POST", "/groups/my/difference", SOURCES, "contact", inferred="the first less all others")
def subtract_groups(call: Call, *, name: GroupName, groups: Groups) -> Answer:
    """Make a new group with those of the first that are in none of the others (which way round is inferred)."""
    first, *others = [_ids(call.state, group) for group in groups]
    return _create(call.state, name, first.difference(*others))


@operation("GET", "/groups/my/{name}/contacts", SOURCES, "contact", inferred="page and size")
def list_members(call: Call, name: PathGroup, query: ContactsQuery) -> Answer:
    """List the people in a group."""
    return query.answer([contact.to_wire() for contact in call.state.members(name)])


@operation("POST", "/groups/my/{name}/contacts", SOURCES, "contact")
def add_members(call: Call, name: PathGroup, body: list[str]) -> Answer:
    """Put people into a group."""
    for contact in [call.state.require_contact(identifier) for identifier in body]:
        if name not in contact.groups:
            contact.groups.append(name)
    return ok(_to_wire(call.state, name))


@operation("DELETE", "/groups/my/{name}/contacts", SOURCES, "contact")
def remove_members(call: Call, name: PathGroup, body: list[str]) -> Answer:
    """Take people out of a group; they stay contacts."""
    for contact in [call.state.require_contact(identifier) for identifier in body]:
        if name in contact.groups:
            contact.groups.remove(name)
    return ok(_to_wire(call.state, name))


def _create(state: State, name: str, members: set[str]) -> Answer:
    if name in state.groups:
        # inferred: the code is documented, that it means a taken name is not
        raise refuse("409002013", "A group with this name exists.")
    state.groups.append(name)
    for identifier in members:
        state.contacts[identifier].groups.append(name)
    return ok(_to_wire(state, name))


def _ids(state: State, name: str) -> set[str]:
    return {contact.id for contact in state.members(name)}


def _to_wire(state: State, name: str) -> Wire:
    return {"name": name, "size": len(state.members(name))}
