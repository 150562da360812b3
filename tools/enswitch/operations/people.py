"""Enswitch people, roles and logins.

Rests on guides 3.13, 3.15 and 4.4. Passwords are made by the server, so that copying one (`copy_password`) is left out,
and so is people/get's `check`, which shows anyone whether a person exists. Of a person's settings, those that only
describe (title, company, country, fax, extension, languages and formats) and public_key are left out.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import KeptFromModel, LooseText, Secret
from clients.operation import Answer, Operation, Undo, Verification, put_back, verify_removal, wire_fields
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Flag, Id, Mail, Text, Words, is_given, new_password
from tools.enswitch.groups import Accepted, Created, DryRun, ForCustomer, Listing, Paged
from tools.enswitch.updates import ONLY_CHECKED, same_settings, settings_of
from tools.enswitch.versions import TOKENS, Version
from tools.hosts import require_source_list


class Person(Answer):
    """A person who can log in. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    username: str | None = None
    customer: int | None = None
    role: int | None = None
    forename: str | None = None
    surname: str | None = None
    email: str | None = None
    telephone: LooseText | None = None
    mobile: LooseText | None = None
    extension: LooseText | None = None
    company: str | None = None
    timezone: str | None = None
    source: str | None = None
    """Addresses that may log in."""


class People(Listing):
    """People who can log in."""

    people: list[Person] = []


@enswitch.function(
    "people/list",
    effect=Effect.READ,
    toolset="people",
    basis=COLUMNS_INFERRED,
    synonyms=("users", "logins", "staff", "who has access"),
)
class ListPeople(Paged, ForCustomer, Operation[People]):
    """List a customer's people, who can log in."""


@enswitch.function(
    "people/get",
    effect=Effect.READ,
    toolset="people",
    basis=COLUMNS_INFERRED,
    guide="3.13",
    synonyms=("user", "login", "show", "staff"),
)
class GetPerson(Operation[Person]):
    """Show one person."""

    id: Id | None = None
    """From enswitch_list_people; or give username or email."""

    username: Words | None = None
    """Username."""

    email: Mail | None = None
    """Mail address."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        """Give exactly one of id, username and email."""
        if is_given(self, "id", "username", "email") != 1:
            raise ValueError("give exactly one of id, username and email.")
        return self


@enswitch.function(
    "people/create",
    effect=Effect.PRIVILEGED,
    subject="Create the person {username}, who can log in",
    toolset="people",
    confirmed_by=("id",),
    synonyms=("user", "add login", "invite", "staff", "access"),
)
class CreatePerson(DryRun, ForCustomer, Operation[Created]):
    """Create a person who can log in, with a password that is kept for the operator."""

    username: Words
    """Username."""

    password: Annotated[Secret, KeptFromModel(generate=new_password)]
    """Its password."""

    email: Mail
    """Mail address."""

    role: Id
    """Role, from enswitch_list_roles, which says what they may do."""

    forename: Text | None = None
    """First name."""

    surname: Text | None = None
    """Last name."""

    telephone: Text | None = None
    """Telephone."""

    mobile: Text | None = None
    """Mobile."""

    timezone: Text | None = None
    """Time zone."""

    source: Annotated[Text, AfterValidator(require_source_list)] | None = None
    """Addresses that may log in; any if left out."""

    def warnings(self) -> tuple[str, ...]:
        return () if self.source else ("Without source, the person can log in from any address.",)

    def verification(self, sent_at: datetime) -> Verification[Person] | None:
        # A person of this username may be an older one, for no read shows whose password it has.
        if self.dry_run:
            return None
        read = GetPerson(username=self.username)
        return Verification(
            read=read, check=lambda found: same_settings(settings_of(self), found), if_absent=Evidence.NO
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        return ONLY_CHECKED if self.dry_run else put_back(DeletePerson, id=getattr(answer, "id", None))


@enswitch.function(
    "people/delete",
    effect=Effect.DESTRUCTIVE | Effect.PRIVILEGED,
    subject="Delete the person [{before.username}|{id}][delete_features? and every line of theirs] for good",
    toolset="people",
    irreversible=True,
    synonyms=("user", "remove login", "offboard", "revoke access"),
)
class DeletePerson(Operation[Accepted]):
    """Delete a person, and with delete_features every line, mailbox and queue that they own."""

    id: Id
    """From enswitch_list_people."""

    delete_features: Annotated[Flag, Field(serialization_alias="features")] = False
    """Delete everything they own too."""

    def before(self) -> GetPerson:
        return GetPerson(id=self.id)

    def warnings(self) -> tuple[str, ...]:
        return ("EVERY feature that the person owns is deleted.",) if self.delete_features else ()

    def verification(self, sent_at: datetime) -> Verification[Person]:
        return verify_removal(GetPerson(id=self.id))


class Role(Answer):
    """A role."""

    id: int | None = None
    name: str | None = None
    description: str | None = None


class Roles(Listing):
    """Roles."""

    roles: list[Role] = []


@enswitch.function(
    "roles/list",
    effect=Effect.READ,
    toolset="people",
    basis=COLUMNS_INFERRED,
    synonyms=("permissions", "privileges", "access levels"),
)
class ListRoles(Operation[Roles]):
    """List the roles that people can have."""


@enswitch.function(
    "roles/create",
    effect=Effect.PRIVILEGED,
    subject="Create the role {name:text}",
    toolset="people",
    basis=COLUMNS_INFERRED,
    admin_only=True,
    synonyms=("permissions", "access level"),
)
class CreateRole(DryRun, Operation[Created]):
    """Create a role; it may do nothing until it is given access."""

    name: Words
    """Name."""

    description: Text | None = None
    """Description."""

    def verification(self, sent_at: datetime) -> Verification[Roles] | None:
        """Names need not be unique, so a role of this name may be an older one."""
        if self.dry_run:
            return None
        return Verification(
            read=ListRoles(),
            check=lambda found: Evidence.no_if(not {None, self.name} & {role.name for role in found.roles}),
        )


@enswitch.function(
    "roles/access/set",
    effect=Effect.PRIVILEGED,
    subject="Set what everyone with role {role} may do with {privilege} to {access}",
    toolset="people",
    unverifiable="no documented call shows what a role may do",
    guide="3.15",
    admin_only=True,
    irreversible=True,
    synonyms=("permissions", "privileges", "grant", "revoke", "rights"),
)
class SetRoleAccess(DryRun, Operation[Accepted]):
    """Set what everyone with a role may do; no documented call shows what they could do before."""

    role: Id
    """Role, from enswitch_list_roles."""

    privilege: Words
    """Privilege, such as commerce or administrator."""

    access: Literal[0, 1, 2]
    """0 none, 1 full, 2 read-only."""


@enswitch.function(
    "user/login",
    effect=Effect.READ,
    toolset="people",
    basis=COLUMNS_INFERRED,
    synonyms=("who am i", "own user", "myself", "check credentials"),
)
class GetLogin(Operation[Person]):
    """Show the person that Ringfence is logged in as."""


class SwitchedUser(Person):
    """A person that is acted as."""

    auth_token: Secret | None = None


@enswitch.function(
    "user/switch",
    effect=Effect.PRIVILEGED,
    subject="Get the operator a token to act as [{username}|person {id}]",
    toolset="people",
    confirmed_by=("auth_token",),
    unverifiable="no documented call shows sessions",
    irreversible=True,
    synonyms=("impersonate", "log in as", "act as", "masquerade"),
)
class SwitchUser(Operation[SwitchedUser]):
    """Get the operator a token to act as somebody else; this connection stays who it is."""

    added_in: ClassVar[Version] = TOKENS

    id: Id | None = None
    """From enswitch_list_people; or give username."""

    username: Words | None = None
    """Username; or give id."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        """Give exactly one of id and username."""
        if is_given(self, "id", "username") != 1:
            raise ValueError("give exactly one of id and username.")
        return self

    def to_wire(self) -> dict[str, Any]:
        return {**wire_fields(self), "token": 1}


class RemoteAccess(Answer):
    """A remote access account. Its columns are inferred; others are kept out, for they may be secrets."""

    id: int | None = None
    name: str | None = None
    customer: int | None = None
    description: str | None = None


@enswitch.function(
    "access/get",
    effect=Effect.READ,
    toolset="people",
    basis=COLUMNS_INFERRED,
    synonyms=("disa", "call in", "dial-in access"),
)
class GetRemoteAccess(Operation[RemoteAccess]):
    """Show a remote access account."""

    id: Id
    """Remote access account."""
