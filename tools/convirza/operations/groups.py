"""Convirza groups, which the API also calls organization units: the hierarchy that everything belongs to."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AliasChoices, BaseModel, Field, model_validator

from clients.effects import Effect
from clients.errors import NotPermitted
from clients.evidence import Evidence
from clients.fields import AnsweredNumber, AnsweredTime, LooseText
from clients.grades import Grades
from clients.operation import UNREAD, Answer, ChangesSomething, Operation, Undo, Verification, put_back
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import E164, EmptyIsNone, Id, Word, body, list_in, object_in
from tools.convirza.grades import ONLY_METHOD, ONLY_METHOD_OF_ITEM
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.updates import (
    describe_full_update,
    fields_of,
    is_new,
    restore_settings,
    same_settings,
)


class Group(Answer):
    """A group."""

    org_unit_id: int | None = None
    name: str | None = Field(default=None, alias="org_unit_name")
    parent_id: int | None = Field(default=None, alias="org_unit_parent_id")
    status: str | None = Field(default=None, alias="org_unit_status")
    external_id: LooseText | None = Field(default=None, alias="org_unit_ext_id")
    top_id: int | None = Field(default=None, alias="top_ou_id")
    billing_id: int | None = None
    address: str | None = None
    city: str | None = None
    province: str | None = Field(default=None, alias="state")
    zip: LooseText | None = None
    phone_number: Annotated[AnsweredNumber | None, EmptyIsNone] = None
    industry_id: int | None = None
    industry_name: str | None = None
    timezone: str | None = None
    created: AnsweredTime | None = Field(default=None, alias="org_unit_created")
    modified: AnsweredTime | None = Field(default=None, alias="org_unit_modified")


NOT_SETTABLE: Final = ("org_unit_id", "industry_name", "created", "modified")


class Groups(Listing):
    """Groups."""

    rows_name: ClassVar[str] = "groups"
    groups: list[Group] = []

    def has_new(self, name: str, sent_at: datetime) -> Evidence:
        """Whether a group of this name came with a call sent at that time."""
        same = [group for group in self.groups if group.name == name]
        if any(is_new(group.created, sent_at) and group.status in {None, "active"} for group in same):
            return Evidence.YES
        return Evidence.no_if(not same and self.shows_every("name"))


class GroupChange(Answer):
    """The group's id."""

    org_unit_id: int | None = Field(default=None, validation_alias=AliasChoices("orgUnitId", "org_unit_id"))


@convirza.operation(
    "GET",
    "/v3/groups/list",
    effect=Effect.READ,
    toolset="groups",
    docs="list-child-groups-31381257e0",
    rows="groups",
    synonyms=("subgroups", "locations", "offices", "clients", "children"),
)
class ListChildGroups(PagedOperation[Groups]):
    """List the groups one level below a group."""

    org_unit_id: Id | None = None
    """Group above; the own one if left out."""

    name: Annotated[Word | None, Field(serialization_alias="group_name")] = None
    """Part of the name."""

    status: Literal["active", "inactive"] | None = None
    """Only these; the values are inferred."""


@convirza.operation(
    "GET",
    "/v3/groups",
    effect=Effect.READ,
    toolset="groups",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="groups",
    synonyms=("organization units", "locations", "offices", "accounts", "all"),
)
class ListGroups(PagedOperation[Groups]):
    """List all groups of the hierarchy."""

    name: Annotated[Word | None, Field(serialization_alias="group_name")] = None
    """Part of the name."""


class TreeGroup(Answer):
    """A group's place in the tree."""

    org_unit_id: int | None = None
    name: str | None = Field(default=None, alias="text")
    code: str | None = Field(default=None, validation_alias=AliasChoices("code", "coded_level"))
    level: int | None = Field(default=None, alias="group_level")


class GroupTree(Listing):
    """The tree, flat, a group before those below it. The prose promises nested children, the example is flat."""

    rows_name: ClassVar[str] = "groups"
    groups: list[TreeGroup] = []

    @model_validator(mode="before")
    @classmethod
    def _lay_children_flat(cls, data: object) -> object:
        found = object_in(data)
        rows = list_in(found.get("groups") if found else data)
        return data if rows is None else {"groups": _flat(rows)}


def _flat(rows: list[Any]) -> list[Any]:
    out: list[Any] = []
    for row in rows:
        out += [row, *_flat(list_in((object_in(row) or {}).get("children")) or [])]
    return out


@convirza.operation(
    "GET",
    "/v3/groups/tree",
    effect=Effect.READ,
    toolset="groups",
    docs="get-group-tree-31381258e0",
    rows="groups",
    synonyms=("hierarchy", "organization chart", "structure"),
)
class GetGroupTree(Operation[GroupTree]):
    """Show the hierarchy of groups, each with its place such as 1.2.1."""

    include_inactive: bool = False
    """Archived groups too."""

    def to_wire(self) -> dict[str, Any]:
        return {"active": "false" if self.include_inactive else "true"}


class OrgUnits(Answer):
    """Ids: the group itself, then every group below it."""

    org_units: list[int] = Field(default=[], alias="orgUnits")


@convirza.operation(
    "GET",
    "/v3/groups/org-list/{org_unit_id}",
    effect=Effect.READ,
    toolset="groups",
    docs="get-org-unit-hierarchy-31927187e0",
    basis=Grades(path="inferred"),
    refusals={401: NotPermitted},
    rows="org_units",
    synonyms=("descendants", "subgroups", "below", "scope"),
)
class GetOrgUnitHierarchy(Operation[OrgUnits]):
    """List the ids of a group and of all groups below it."""

    org_unit_id: Id
    """Group, from convirza_list_groups."""


@convirza.operation(
    "GET",
    "/v3/groups/{org_unit_id}",
    effect=Effect.READ,
    toolset="groups",
    docs="get-group-details-31381259e0",
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("show", "details", "office", "location"),
)
class GetGroup(Operation[Group]):
    """Show one group."""

    org_unit_id: Id
    """Group, from convirza_list_groups."""


class _GroupSettings(BaseModel):
    parent_id: Annotated[Id | None, Field(serialization_alias="org_unit_parent_id")] = None
    """Group above, from convirza_list_groups."""

    external_id: Annotated[str | None, Field(serialization_alias="org_unit_ext_id")] = None
    """Own reference."""

    top_id: Annotated[Id | None, Field(serialization_alias="top_ou_id")] = None
    """Account at the top."""

    billing_id: Id | None = None
    """Account that is billed."""

    address: str | None = None
    """Street."""

    city: str | None = None
    """City."""

    province: Annotated[str | None, Field(serialization_alias="state")] = None
    """State."""

    zip: str | None = None
    """ZIP code."""

    phone_number: E164 | None = None
    """Telephone number."""

    industry_id: Id | None = None
    """Industry, from convirza_list_industries."""

    timezone: Word | None = None
    """IANA time zone; that of the group above if left out."""

    def warnings(self) -> tuple[str, ...]:
        if self.billing_id is None:
            return ()
        return (f"billing_id: account {self.billing_id} then pays for what the group uses (inferred).",)


@convirza.operation(
    "POST",
    "/v3/groups",
    effect=Effect.PRIVILEGED,
    subject="Create the group {name:text}",
    toolset="groups",
    docs="create-group-31381263e0",
    confirmed_by=("org_unit_id",),
    synonyms=("add", "new location", "office", "organization unit", "client"),
)
class CreateGroup(_GroupSettings, Operation[GroupChange]):
    """Create a group below another."""

    name: Annotated[Word, Field(serialization_alias="org_unit_name")]
    """Name, unique below its parent."""

    def undo(self, before: Any, answer: Any) -> Undo:
        org_unit_id = answer.org_unit_id if isinstance(answer, GroupChange) else None
        return put_back(DeleteGroup, lost="The group stays as inactive (inferred).", org_unit_id=org_unit_id)

    def verification(self, sent_at: datetime) -> Verification[Groups]:
        return Verification(
            read=ListChildGroups(org_unit_id=self.parent_id, name=self.name, limit=200),
            check=lambda found: found.has_new(self.name, sent_at),
        )

    def to_wire(self) -> dict[str, Any]:
        return body(self)


class _ChangeOfGroup(_GroupSettings):
    org_unit_id: Id
    """Group, from convirza_list_groups."""

    status: Annotated[Literal["active", "inactive"] | None, Field(serialization_alias="org_unit_status")] = None
    """Inferred."""

    def before(self) -> GetGroup:
        return GetGroup(org_unit_id=self.org_unit_id)

    def verification(self, sent_at: datetime) -> Verification[Group]:
        return Verification(
            read=self.before(), check=lambda found: same_settings(found, fields_of(self, "org_unit_id"))
        )


@convirza.operation(
    "PUT",
    "/v3/groups/{org_unit_id}",
    effect=Effect.PRIVILEGED | Effect.DESTRUCTIVE,
    subject="Replace all settings of the group [{before.name:text}|{org_unit_id}]",
    toolset="groups",
    docs="update-group-31381260e0",
    basis=ONLY_METHOD,
    synonyms=("put", "full update", "overwrite"),
)
class ReplaceGroup(_ChangeOfGroup, Operation[GroupChange]):
    """Replace all settings of a group, RESETTING what is left out; use convirza_update_group instead."""

    name: Annotated[Word, Field(serialization_alias="org_unit_name")]
    """Name, unique below its parent."""

    def changes(self, before: Any) -> tuple[str, ...]:
        read = before if isinstance(before, Group) else None
        return describe_full_update(read, fields_of(self, "org_unit_id"), kept=frozenset(NOT_SETTABLE))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Group):
            return UNREAD
        lost = "The read may not show every setting; the documentation does not say."
        return put_back(ReplaceGroup, lost=lost, org_unit_id=self.org_unit_id, **fields_of(before, *NOT_SETTABLE))

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"org_unit_id"}))


@convirza.operation(
    "PATCH",
    "/v3/groups/{org_unit_id}",
    effect=Effect.PRIVILEGED,
    subject="Change {settings} of the group [{before.name:text}|{org_unit_id}]",
    toolset="groups",
    docs="partial-update-group-31381261e0",
    basis=ONLY_METHOD,
    synonyms=("patch", "rename", "move", "edit", "billing"),
)
class UpdateGroup(_ChangeOfGroup, ChangesSomething, Operation[GroupChange]):
    """Change some settings of a group; the others stay."""

    name: Annotated[Word | None, Field(serialization_alias="org_unit_name")] = None
    """New name."""

    def undo(self, before: Any, answer: Any) -> Undo:
        read = before if isinstance(before, Group) else None
        return restore_settings(UpdateGroup, read, fields_of(self, "org_unit_id"), org_unit_id=self.org_unit_id)

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"org_unit_id"}))


@convirza.operation(
    "DELETE",
    "/v3/groups/{org_unit_id}",
    effect=Effect.DESTRUCTIVE | Effect.PRIVILEGED,
    subject="Delete the group [{before.name:text}|{org_unit_id}] for good",
    toolset="groups",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    irreversible=True,
    synonyms=("remove", "close office", "archive"),
)
class DeleteGroup(Operation[GroupChange]):
    """Delete a group; no document says what becomes of its users, numbers and routes."""

    org_unit_id: Id
    """Group, from convirza_list_groups."""

    def before(self) -> GetGroup:
        return GetGroup(org_unit_id=self.org_unit_id)

    def verification(self, sent_at: datetime) -> Verification[Group]:
        return Verification(
            read=self.before(),
            check=lambda found: _is_archived(found, sent_at),
            if_absent=Evidence.YES,
            must_be_new=True,
        )


def _is_archived(found: Group, sent_at: datetime) -> Evidence:
    # The words for a status are inferred. One that had been archived before says nothing of this call.
    status = (found.status or "").casefold()
    if status in {"inactive", "archived", "deleted"}:
        return Evidence.yes_if(is_new(found.modified, sent_at))
    return Evidence.no_if(status == "active")
