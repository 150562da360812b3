"""Routee groups of contacts."""

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from clients.answers import NotShown
from clients.effects import Effect
from clients.evidence import Evidence, all_present, any_of, present_in
from clients.operation import NOTHING_CHANGED, UNREAD, Answer, Operation, Undo, Verification, put_back
from tools.routee.client import routee
from tools.routee.field_types import GroupName, Id
from tools.routee.grades import SEEN
from tools.routee.operations.contacts import Contacts
from tools.routee.paging import LARGEST_PAGE, Listing, Paged, fields_of, is_whole, rows_of


class Group(Answer):
    """A group and how many are in it."""

    name: str | None = None
    size: int | None = None


class Groups(Listing):
    """Groups."""

    groups: list[Group] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/groups/my",
    effect=Effect.READ,
    toolset="contacts",
    docs="retrieve-the-accounts-groups",
    basis=SEEN,
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
    basis=SEEN,
    confirmed_by=("name",),
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
        names = [str(fields_of(row).get("name") or "") for row in rows]
        if not is_whole(content, Groups) or not all(names):
            raise NotShown("it is not the whole list of groups with each one's name")
        return {
            "content": [row for row, name in zip(rows, names, strict=True) if name.casefold() == self.name.casefold()]
        }


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

    def verification(self, sent_at: datetime) -> Verification[Groups]:
        # A group of this name may have been there before.
        return Verification(read=self.before(), check=lambda found: Evidence.of(bool(found.groups)), must_be_new=True)


@routee.operation(
    "POST",
    "/groups/my",
    effect=Effect.WRITE,
    subject="Create the group {name:text}",
    toolset="contacts",
    docs="create-a-new-group",
    basis=SEEN,
    confirmed_by=("name",),
    synonyms=("new list", "add segment", "make"),
)
class CreateGroup(NewGroup):
    """Create an empty group."""


@routee.operation(
    "POST",
    "/groups/my/merge",
    effect=Effect.WRITE,
    subject="Make the group {name:text} of {groups:group}",
    toolset="contacts",
    docs="merge-multiple-groups",
    basis=SEEN,
    confirmed_by=("name",),
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
    subject="Make the group {name:text} of who is only in the first of {groups:group}",
    toolset="contacts",
    docs="create-group-from-difference",
    basis=SEEN,
    confirmed_by=("name",),
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

    @model_validator(mode="before")
    @classmethod
    def _from_either_shape(cls, data: object) -> object:
        """Take one object for an array of one: an SDK reads an array, the reference shows an object."""
        return {"content": [data]} if "deletedContacts" in fields_of(data) else data


@routee.operation(
    "DELETE",
    "/groups/my",
    effect=Effect.DESTRUCTIVE,
    subject="Delete {groups:group}[delete_contacts? and everybody in them] for good",
    toolset="contacts",
    docs="delete-groups",
    basis=SEEN,
    confirmed_by=("groups",),
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

    def before(self) -> ListGroups:
        return ListGroups()

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, Groups):
            return ()
        sizes = {group.name: group.size for group in before.groups}
        people = [f"{name} ({sizes[name]} people)" if sizes.get(name) is not None else name for name in self.groups]
        return (f"These groups are gone then: {', '.join(people)}.",)

    def verification(self, sent_at: datetime) -> Verification[Groups]:
        return Verification(read=self.before(), check=self._are_gone, must_be_new=True)

    def to_query(self) -> dict[str, Any]:
        return {"deleteContacts": self.delete_contacts}

    def _are_gone(self, found: Groups) -> Evidence:
        names = [group.name for group in found.groups]
        return any_of(present_in(names, name, whole=found.is_whole) for name in self.groups).opposite

    def to_array(self) -> list[Any]:
        return list(self.groups)


@routee.operation(
    "GET",
    "/groups/my/{name}/contacts",
    effect=Effect.READ,
    toolset="contacts",
    docs="view-the-contacts-of-a-specified-group",
    basis=SEEN,
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
        ids = [fields_of(row).get("id") for row in rows_of(content)]
        inside = [contact for contact in self.contact_ids if contact in ids]
        shows_all = all(ids) and is_whole(content, Contacts)
        if not shows_all and len(inside) < len(set(self.contact_ids)):
            raise NotShown("it does not show everybody in the group with the contact's id")
        return {"content": [{"id": contact} for contact in inside]}


@routee.operation(
    "POST",
    "/groups/my/{name}/contacts",
    effect=Effect.OUTWARD,
    subject="Put {contact_ids:contact} into the group {name:text}",
    toolset="contacts",
    docs="add-contacts-to-a-specified-group",
    basis=SEEN,
    confirmed_by=("name",),
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
    subject="Take {contact_ids:contact} out of the group {name:text}",
    toolset="contacts",
    docs="remove-contacts-of-a-specified-group",
    basis=SEEN,
    confirmed_by=("name",),
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
