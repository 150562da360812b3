"""Routee groups of contacts."""

from datetime import datetime
from typing import Any

from pydantic import Field

from clients.effects import Effect
from clients.errors import UnexpectedAnswer
from clients.evidence import Evidence, all_present
from clients.operation import NOTHING_CHANGED, UNREAD, Answer, Operation, Undo, Verification, put_back
from tools.routee.client import routee
from tools.routee.field_types import GroupName, Id
from tools.routee.operations.contacts import Contacts
from tools.routee.paging import LARGEST_PAGE, Paged, rows_of


class Group(Answer):
    """A group and how many are in it."""

    name: str | None = None
    size: int | None = None


class Groups(Answer):
    """Groups."""

    groups: list[Group] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/groups/my",
    effect=Effect.READ,
    toolset="contacts",
    docs="retrieve-the-accounts-groups",
    rows="groups",
    synonyms=("lists", "segments", "audiences", "tags"),
)
class ListGroups(Operation[Groups]):
    """List the groups of contacts and their sizes."""


@routee.operation(
    "GET",
    "/groups/my/{name}",
    effect=Effect.READ,
    toolset="contacts",
    docs="retrieve-one-of-the-accounts-groups",
    synonyms=("show", "size", "how many"),
)
class GetGroup(Operation[Group]):
    """Show one group's size."""

    name: GroupName
    """Group from routee_list_groups."""


class FindGroup(ListGroups):
    """The group of one name, picked from the list of all; none where there is no such group."""

    name: GroupName

    def to_wire(self) -> dict[str, Any]:
        return {}

    def select(self, content: Any) -> Any:
        rows = rows_of(content)
        if any(not isinstance(row.get("name"), str) for row in rows):
            raise UnexpectedAnswer("Routee listed a group without its name, so whether there is this one is not known.")
        return {"content": [row for row in rows if row["name"].casefold() == self.name.casefold()]}


class NewGroup(Operation[Group]):
    """What makes a group."""

    name: GroupName
    """Name of the new group."""

    def before(self) -> FindGroup:
        return FindGroup(name=self.name)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Groups):
            return UNREAD
        if before.groups:
            return Undo(verdict="none", lost="There was a group of this name before, so it is not deleted.")
        return Undo(verdict="full", operation=DeleteGroups(groups=[self.name]))

    def verification(self, sent_at: datetime) -> Verification[Group]:
        return Verification(read=GetGroup(name=self.name), check=lambda _: Evidence.YES, if_absent=Evidence.NO)


@routee.operation(
    "POST",
    "/groups/my",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="create-a-new-group",
    synonyms=("new list", "add segment", "make"),
)
class CreateGroup(NewGroup):
    """Create an empty group."""


@routee.operation(
    "POST",
    "/groups/my/merge",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="merge-multiple-groups",
    synonyms=("union", "combine", "join lists"),
)
class MergeGroups(NewGroup):
    """Make a new group of everybody in several groups."""

    groups: list[GroupName] = Field(min_length=1)
    """Groups from routee_list_groups."""


@routee.operation(
    "POST",
    "/groups/my/difference",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="create-group-from-difference",
    synonyms=("except", "minus", "exclude", "without", "not in", "isn't in"),
)
class SubtractGroups(NewGroup):
    """Make a new group of who is in the first group and in no other (inferred)."""

    groups: list[GroupName] = Field(min_length=2)
    """Groups from routee_list_groups."""


class DeletedGroup(Answer):
    """A group that is gone."""

    name: str | None = None
    deleted_contacts: bool | None = None


class DeletedGroups(Answer):
    """Groups that are gone."""

    groups: list[DeletedGroup] = Field(default=[], alias="content")


@routee.operation(
    "DELETE",
    "/groups/my",
    effect=Effect.DESTRUCTIVE,
    toolset="contacts",
    docs="delete-groups",
    carrier="json",
    irreversible=True,
    synonyms=("remove list", "drop"),
)
class DeleteGroups(Operation[DeletedGroups]):
    """Delete groups, and the people in them if asked to."""

    groups: list[GroupName] = Field(min_length=1)
    """Groups from routee_list_groups."""

    delete_contacts: bool = False
    """Delete also everybody in them."""

    def warnings(self) -> tuple[str, ...]:
        if self.delete_contacts:
            return ("Everybody in the groups is deleted from the address book too.",)
        return ()

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="none", lost="Who was in the groups was not read, so they cannot be filled again from here."
        )

    def verification(self, sent_at: datetime) -> Verification[Groups]:
        return Verification(read=ListGroups(), check=self._are_gone)

    def to_query(self) -> dict[str, Any]:
        return {"deleteContacts": self.delete_contacts}

    def _are_gone(self, found: Groups) -> Evidence:
        return all_present(self.groups, [group.name for group in found.groups]).opposite

    def to_array(self) -> list[Any]:
        return list(self.groups)


@routee.operation(
    "GET",
    "/groups/my/{name}/contacts",
    effect=Effect.READ,
    toolset="contacts",
    docs="view-the-contacts-of-a-specified-group",
    synonyms=("members", "who is in", "people in group"),
)
class ListGroupContacts(Paged[Contacts]):
    """List the people in a group."""

    name: GroupName
    """Group from routee_list_groups."""


class FindMembers(ListGroupContacts):
    """Those of some contacts who are in a group, by their ids; picked from the first page of its list."""

    limit: int = LARGEST_PAGE
    contact_ids: list[Id]

    def to_wire(self) -> dict[str, Any]:
        return self.page_query()

    def select(self, content: Any) -> Any:
        rows = rows_of(content)
        ids = [row.get("id") for row in rows]
        inside = [contact for contact in self.contact_ids if contact in ids]
        shows_all = None not in ids and (content.get("last") is True or content.get("totalElements") == len(rows))
        if not shows_all and len(inside) < len(set(self.contact_ids)):
            raise UnexpectedAnswer("Routee did not show everybody in the group, so who of them is in it is not known.")
        return {"content": [{"id": contact} for contact in inside]}


@routee.operation(
    "POST",
    "/groups/my/{name}/contacts",
    effect=Effect.OUTWARD,
    toolset="contacts",
    docs="add-contacts-to-a-specified-group",
    synonyms=("assign", "tag", "subscribe"),
)
class AddGroupContacts(Operation[Group]):
    """Put contacts into a group."""

    name: GroupName
    """Group from routee_list_groups."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_contacts."""

    def before(self) -> FindMembers:
        return FindMembers(name=self.name, contact_ids=self.contact_ids)

    def warnings(self) -> tuple[str, ...]:
        return (
            "A campaign that is already scheduled for the group may go to them too: Routee does not document when it "
            "reads a group.",
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Contacts):
            return UNREAD
        inside = {contact.id for contact in before.contacts}
        added = [contact for contact in self.contact_ids if contact not in inside]
        if not added:
            return NOTHING_CHANGED
        return Undo(
            verdict="partial",
            operation=RemoveGroupContacts(name=self.name, contact_ids=added),
            lost="What was sent to the group meanwhile reached them.",
        )

    def verification(self, sent_at: datetime) -> Verification[Contacts]:
        return Verification(read=self.before(), check=self._are_inside, must_be_new=True)

    def _are_inside(self, found: Contacts) -> Evidence:
        return all_present(self.contact_ids, [contact.id for contact in found.contacts])

    def to_array(self) -> list[Any]:
        return list(self.contact_ids)


@routee.operation(
    "DELETE",
    "/groups/my/{name}/contacts",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="remove-contacts-of-a-specified-group",
    carrier="json",
    synonyms=("untag", "take out", "unassign"),
)
class RemoveGroupContacts(Operation[Group]):
    """Take contacts out of a group; they stay in the address book."""

    name: GroupName
    """Group from routee_list_groups."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_group_contacts."""

    def before(self) -> FindMembers:
        return FindMembers(name=self.name, contact_ids=self.contact_ids)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Contacts):
            return UNREAD
        inside = [contact.id for contact in before.contacts]
        if not inside:
            return NOTHING_CHANGED
        return put_back(AddGroupContacts, name=self.name, contact_ids=inside)

    def to_array(self) -> list[Any]:
        return list(self.contact_ids)
