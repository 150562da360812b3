"""Routee blacklists: contacts that a service does not reach.

That the body is an array of objects with an id is known from one SDK.
"""

from typing import Any

from pydantic import Field

from clients.effects import Effect
from clients.operation import Answer, Operation
from clients.routee import routee
from clients.undo import Undo
from tools.routee.contacts import Contact
from tools.routee.shapes import GroupName, Id, Service


class Blacklisted(Answer):
    """Contacts that a service does not reach."""

    contacts: list[Contact] = Field(default=[], alias="content")


class Blacklisting(Answer):
    """How many contacts were changed."""

    updated: int | None = None


@routee.operation(
    "GET",
    "/contacts/my/blacklist/{service}",
    effect=Effect.READ,
    toolset="contacts",
    docs="get-blacklisted-contacts-for-service",
    rows="contacts",
    synonyms=("opt out", "opted out", "unsubscribed", "stop list", "suppressed", "do not contact"),
)
class ListBlacklist(Operation[Blacklisted]):
    """List the contacts that a service does not reach."""

    service: Service
    """Service that leaves them out."""


@routee.operation(
    "POST",
    "/contacts/my/blacklist/{service}",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="add-contacts-to-blacklist",
    synonyms=("opt out", "unsubscribe", "stop", "block", "suppress"),
)
class AddToBlacklist(Operation[Blacklisting]):
    """Keep a service from reaching contacts."""

    service: Service
    """Service that leaves them out."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_contacts."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="partial",
            operation=RemoveFromBlacklist(service=self.service, contact_ids=self.contact_ids),
            lost="Those who were listed before are taken off too.",
        )

    def to_array(self) -> list[Any]:
        return [{"id": contact} for contact in self.contact_ids]


@routee.operation(
    "DELETE",
    "/contacts/my/blacklist/{service}",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="remove-contacts-from-blacklist",
    carrier="json",
    synonyms=("opt in", "unblock", "subscribe", "allow"),
)
class RemoveFromBlacklist(Operation[Blacklisting]):
    """Let a service reach contacts again; only where they agreed to it."""

    service: Service
    """Service that leaves them out."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_blacklist."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="full", operation=AddToBlacklist(service=self.service, contact_ids=self.contact_ids))

    def to_array(self) -> list[Any]:
        return [{"id": contact} for contact in self.contact_ids]


@routee.operation(
    "DELETE",
    "/contacts/my/blacklist/{service}/groups",
    effect=Effect.WRITE,
    toolset="contacts",
    docs="remove-a-group-of-contacts-from-the-blacklist",
    carrier="json",
    synonyms=("opt in", "unblock", "allow group"),
)
class RemoveGroupsFromBlacklist(Operation[Blacklisting]):
    """Let a service reach everybody in groups again; only where they agreed to it."""

    service: Service
    """Service that leaves them out."""

    groups: list[GroupName] = Field(min_length=1)
    """Groups from routee_list_groups."""

    def to_array(self) -> list[Any]:
        return list(self.groups)
