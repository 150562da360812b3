"""Convirza users: who may log in, with which role, and at which number they ring."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, model_validator

from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import AnsweredNumber, AnsweredTime, LooseText
from clients.grades import Grades
from clients.operation import UNREAD, Answer, ChangesSomething, Operation, Undo, Verification, put_back
from tools.convirza.client import ALL_PATHS, BASE_PATHS, convirza
from tools.convirza.field_types import E164, EmptyIsNone, Id, Mail, Word, body, object_in
from tools.convirza.grades import ANSWER_INFERRED, BODIES_INFERRED
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.updates import (
    describe_full_update,
    fields_of,
    is_new,
    restore_settings,
    same_settings,
)

Role = Literal["Admin", "Standard", "ReadOnly"]
ROLE_IDS: Final[dict[Role, int]] = {"Admin": 1, "Standard": 2, "ReadOnly": 3}


_BY_LETTERS: Final[dict[str, Role]] = {role.casefold(): role for role in ROLE_IDS}


def _plain_role(value: object) -> object:
    # `Standard User` is what the example shows; how the other roles are written is not known.
    if not isinstance(value, str):
        return value
    return _BY_LETTERS.get(re.sub(r"[\W_]", "", value).casefold().removesuffix("user"), value)


class User(Answer):
    """A user."""

    user_id: int | None = Field(default=None, alias="ct_user_id")
    email: str | None = Field(default=None, validation_alias=AliasChoices("email", "username"))
    first_name: str | None = Field(default=None, alias="first_name")
    last_name: str | None = Field(default=None, alias="last_name")
    role: Annotated[str | None, BeforeValidator(_plain_role)] = None
    status: str | None = Field(default=None, validation_alias=AliasChoices("user_status", "status"))
    org_unit_id: int | None = Field(default=None, validation_alias=AliasChoices("group_org_unit_id", "ct_user_ou_id"))
    group: str | None = None
    group_external_id: LooseText | None = None
    parent_group: str | None = None
    parent_group_id: int | None = Field(default=None, alias="parent_group_org_unit_id")
    parent_group_external_id: LooseText | None = None
    account: str | None = None
    account_id: int | None = Field(default=None, alias="account_org_unit_id")
    account_external_id: LooseText | None = None
    group_access: int | None = None
    report_access: int | None = None
    external_id: LooseText | None = Field(default=None, alias="user_ext_id")
    ring_to: Annotated[AnsweredNumber | None, EmptyIsNone] = Field(default=None, alias="agent_ring_to")
    agent_id: LooseText | None = None
    agent_code: int | None = None
    timezone: str | None = None
    score_calls: bool | None = Field(default=None, validation_alias=AliasChoices("score_call", "assign_scorecard"))
    access_audio: bool | None = None
    created: AnsweredTime | None = Field(default=None, alias="user_created")

    @property
    def with_known_role(self) -> Self:
        """The same, without a role that is written in a way that is not understood."""
        return self if self.role in ROLE_IDS else self.model_copy(update={"role": None})


SETTABLE: Final = frozenset({
    "email", "first_name", "last_name", "role", "status", "org_unit_id", "external_id", "ring_to", "agent_code",
    "timezone", "score_calls", "access_audio",
})  # fmt: skip
NOT_SETTABLE: Final = tuple(sorted(User.model_fields.keys() - SETTABLE))


class Users(Listing):
    """Users of a group and the groups below it."""

    rows_name: ClassVar[str] = "users"
    users: list[User] = []

    def has_new(self, email: str, sent_at: datetime) -> Evidence:
        """Whether a user of this address came with a call sent at that time."""
        same = [user for user in self.users if (user.email or "").casefold() == email]
        if any(is_new(user.created, sent_at) and user.status != "deleted" for user in same):
            return Evidence.YES
        return Evidence.no_if(not same and self.shows_every("email"))


class UserChange(Answer):
    """The user's id."""

    user_id: int | None = Field(default=None, validation_alias=AliasChoices("userId", "ct_user_id"))


class Profile(Answer):
    """Whom the calls are made as."""

    user_id: int | None = None
    email: str | None = None
    role_id: int | None = None
    """1 Admin, 2 Standard, 3 ReadOnly."""

    org_unit_id: int | None = None
    first_name: str | None = None
    last_name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _open(cls, data: object) -> object:
        found = object_in(data)
        return object_in(found.get("user")) or found if found else data


@convirza.operation(
    "GET",
    "/v3/auth/profile",
    effect=Effect.READ,
    toolset="users",
    docs=BASE_PATHS,
    basis=Grades(method="inferred", answer="inferred"),
    synonyms=("who am i", "my role", "permissions", "login", "account"),
)
class GetOwnProfile(Operation[Profile]):
    """Show the user that calls are made as, with role and group."""


@convirza.operation(
    "GET",
    "/v3/users/list",
    effect=Effect.READ,
    toolset="users",
    docs="list-users-31381268e0",
    rows="users",
    synonyms=("people", "agents", "team", "staff", "logins"),
)
class ListUsers(PagedOperation[Users]):
    """List users of a group and the groups below it."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups; the own one if left out."""

    name: Word | None = None
    """Part of first or last name."""

    email: Word | None = None
    """Part of the address."""

    role: Role | None = None
    """Only this role."""

    status: Annotated[Literal["active", "inactive", "deleted"] | None, Field(serialization_alias="user_status")] = None
    """Only these."""

    sort_by: Literal["created_on", "name", "email"] | None = None
    """Default created_on."""

    sort_order: Literal["asc", "desc"] | None = None
    """Default desc."""

    def to_wire(self) -> dict[str, Any]:
        wire = super().to_wire()
        role: Role | None = wire.pop("role", None)
        return wire | ({"role_id": ROLE_IDS[role]} if role else {})


@convirza.operation(
    "GET",
    "/v3/users/{user_id}",
    effect=Effect.READ,
    toolset="users",
    docs="get-user-details-31381269e0",
    basis=ANSWER_INFERRED,
    synonyms=("show", "details", "person", "agent"),
)
class GetUser(Operation[User]):
    """Show one user."""

    user_id: Id
    """User, from convirza_list_users."""


class _UserSettings(BaseModel):
    status: Annotated[Literal["active", "inactive"] | None, Field(serialization_alias="user_status")] = None
    """Inactive cannot log in."""

    external_id: Annotated[str | None, Field(serialization_alias="user_ext_id")] = None
    """Own reference."""

    timezone: Word | None = None
    """IANA time zone; the group's if left out."""

    ring_to: Annotated[E164 | None, Field(serialization_alias="agent_ring_to")] = None
    """Number at which the user rings."""

    agent_code: Annotated[int, Field(ge=0)] | None = None
    """Code for the IVR."""

    score_calls: Annotated[bool | None, Field(serialization_alias="score_call")] = None
    """May score calls."""

    access_audio: bool | None = None
    """May hear recordings."""

    def destinations(self) -> tuple[str, ...]:
        return (self.ring_to,) if self.ring_to else ()

    def warnings(self) -> tuple[str, ...]:
        role = getattr(self, "role", None)
        return ("An Admin can change users, groups and everything below them.",) if role == "Admin" else ()


class _WholeUser(_UserSettings):
    email: Annotated[Mail, Field(serialization_alias="username")]
    """Login address."""

    first_name: Word
    """First name."""

    last_name: Word
    """Last name."""

    org_unit_id: Annotated[Id, Field(serialization_alias="ct_user_ou_id")]
    """Group, from convirza_list_groups."""

    role: Role
    """What the user may do."""


@convirza.operation(
    "POST",
    "/v3/users",
    effect=Effect.PRIVILEGED,
    subject="Create the user {email}, with the role {role}",
    toolset="users",
    docs="create-user-31381273e0",
    confirmed_by=("user_id",),
    synonyms=("add", "invite", "new login", "agent"),
)
class CreateUser(_WholeUser, Operation[UserChange]):
    """Create a user who can log in."""

    def undo(self, before: Any, answer: Any) -> Undo:
        user_id = answer.user_id if isinstance(answer, UserChange) else None
        return put_back(DeleteUser, lost="The user stays listed as deleted.", user_id=user_id)

    def verification(self, sent_at: datetime) -> Verification[Users]:
        wanted = self.email.casefold()
        return Verification(
            read=ListUsers(email=self.email),
            check=lambda found: found.has_new(wanted, sent_at),
        )

    def to_wire(self) -> dict[str, Any]:
        return body(self)


class _ChangeOfUser(_UserSettings):
    user_id: Id
    """User, from convirza_list_users."""

    def before(self) -> GetUser:
        return GetUser(user_id=self.user_id)

    def verification(self, sent_at: datetime) -> Verification[User]:
        wanted = fields_of(self, "user_id")
        return Verification(read=self.before(), check=lambda found: same_settings(found.with_known_role, wanted))


@convirza.operation(
    "PUT",
    "/v3/users/{user_id}",
    effect=Effect.PRIVILEGED | Effect.REROUTES | Effect.DESTRUCTIVE,
    subject="Replace all settings of the user [{before.email}|{user_id}]",
    toolset="users",
    docs="update-user-31381270e0",
    basis=BODIES_INFERRED,
    synonyms=("put", "full update", "overwrite"),
)
class ReplaceUser(_ChangeOfUser, _WholeUser, Operation[UserChange]):
    """Replace all settings of a user, RESETTING what is left out; use convirza_update_user instead."""

    def changes(self, before: Any) -> tuple[str, ...]:
        read = before if isinstance(before, User) else None
        return describe_full_update(read, fields_of(self, "user_id"), kept=frozenset(NOT_SETTABLE))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, User):
            return UNREAD
        lost = "The read may not show every setting; the documentation does not say."
        return put_back(ReplaceUser, lost=lost, user_id=self.user_id, **fields_of(before, *NOT_SETTABLE))

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"user_id"}))


@convirza.operation(
    "PATCH",
    "/v3/users/{user_id}",
    effect=Effect.PRIVILEGED | Effect.REROUTES,
    subject="Change {settings} of the user [{before.email}|{user_id}]",
    toolset="users",
    docs=ALL_PATHS,
    basis=BODIES_INFERRED,
    synonyms=("patch", "promote", "role", "deactivate", "disable", "forward agent"),
)
class UpdateUser(_ChangeOfUser, ChangesSomething, Operation[UserChange]):
    """Change some settings of a user; the others stay."""

    email: Annotated[Mail | None, Field(serialization_alias="username")] = None
    """New login address."""

    first_name: Word | None = None
    """First name."""

    last_name: Word | None = None
    """Last name."""

    org_unit_id: Annotated[Id | None, Field(serialization_alias="ct_user_ou_id")] = None
    """Group, from convirza_list_groups."""

    role: Role | None = None
    """What the user may do."""

    def undo(self, before: Any, answer: Any) -> Undo:
        read = before if isinstance(before, User) else None
        return restore_settings(UpdateUser, read, fields_of(self, "user_id"), user_id=self.user_id)

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"user_id"}))


@convirza.operation(
    "DELETE",
    "/v3/users/{user_id}",
    effect=Effect.DESTRUCTIVE | Effect.PRIVILEGED,
    subject="Delete the user [{before.email}|{user_id}] for good",
    toolset="users",
    docs=ALL_PATHS,
    basis=ANSWER_INFERRED,
    irreversible=True,
    synonyms=("remove", "offboard", "revoke access"),
)
class DeleteUser(Operation[UserChange]):
    """Delete a user, who stays listed as deleted; no call restores one."""

    user_id: Id
    """User, from convirza_list_users."""

    def before(self) -> GetUser:
        return GetUser(user_id=self.user_id)

    def verification(self, sent_at: datetime) -> Verification[User]:
        return Verification(read=self.before(), check=_is_deleted, if_absent=Evidence.YES, must_be_new=True)


def _is_deleted(found: User) -> Evidence:
    # A status that is missing, or is none of the documented ones, proves nothing.
    if found.status is None or found.status.casefold() not in {"deleted", "active", "inactive"}:
        return Evidence.UNKNOWN
    return Evidence.of(found.status.casefold() == "deleted")
