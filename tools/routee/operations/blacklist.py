"""Routee blacklists: contacts that a service does not reach.

That the body is an array of objects with an id is known from one SDK.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from pydantic import Field, model_validator

from clients.answers import NotShown
from clients.effects import Effect
from clients.evidence import Evidence
from clients.operation import NOTHING_CHANGED, UNREAD, Answer, Members, Operation, Undo, Verification, put_back
from tools.routee.client import routee
from tools.routee.field_types import GroupName, Id, Service
from tools.routee.grades import SEEN
from tools.routee.operations.contacts import Contact
from tools.routee.paging import Listing, fields_of, is_whole, rows_of
from tools.routee.recipients import members_of

AGREED: Final = "Texting or calling people who opted out breaks the law unless they agreed to it again."

SHOWN: Final = 10
"""How many of them the question names."""


class Blacklisted(Listing):
    """Contacts that a service does not reach."""

    contacts: list[Contact] = Field(default=[], alias="content")


def _count_in(row: object) -> int | None:
    count = str(fields_of(row).get("updated"))
    return int(count) if count.isascii() and count.isdigit() else None


class Blacklisting(Answer):
    """How many contacts were changed."""

    updated: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_either_shape(cls, data: object) -> object:
        """Add up the counts of an answer that shows one for each group, as an old SDK reads it."""
        if "content" not in fields_of(data):
            return data
        counts = [_count_in(row) for row in rows_of(data)]
        return {} if not counts or None in counts else {"updated": sum(count or 0 for count in counts)}


@routee.operation(
    "GET",
    "/contacts/my/blacklist/{service}",
    effect=Effect.READ,
    toolset="contacts",
    docs="get-blacklisted-contacts-for-service",
    basis=SEEN,
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
    subject="Keep {service} from reaching {contact_ids:contact}",
    toolset="contacts",
    docs="add-contacts-to-blacklist",
    basis=SEEN,
    confirmed_by=("updated",),
    synonyms=("opt out", "unsubscribe", "stop", "block", "suppress"),
)
class AddToBlacklist(Operation[Blacklisting]):
    """Keep a service from reaching contacts."""

    service: Service
    """Service that leaves them out."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_contacts."""

    def before(self) -> "ListBlacklistAmong":
        return ListBlacklistAmong(service=self.service, contact_ids=self.contact_ids)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Blacklisted):
            return UNREAD
        listed = {contact.id for contact in before.contacts}
        added = [contact for contact in self.contact_ids if contact not in listed]
        if not added:
            return NOTHING_CHANGED
        return Undo(verdict="full", operation=RemoveFromBlacklist(service=self.service, contact_ids=added))

    def to_array(self) -> list[Any]:
        return [{"id": contact} for contact in self.contact_ids]


class ListBlacklistAmong(ListBlacklist):
    """Those of some contacts, or of everybody in groups, that a service does not reach; picked from the whole list."""

    contact_ids: list[Id] = []
    groups: list[GroupName] = []

    def to_wire(self) -> dict[str, Any]:
        return {}

    def select(self, content: Any) -> Any:
        rows = rows_of(content)
        if not is_whole(content, Blacklisted):
            raise NotShown("it is not the whole blacklist")
        return {"content": [row for row in rows if self._asks_for(row)]}

    def _asks_for(self, row: object) -> bool:
        shown = fields_of(row)
        groups: object = shown.get("groups")
        if not shown.get("id") or (self.groups and not isinstance(groups, list)):
            raise NotShown("it has a row without the contact's id or groups")
        within = set(cast("list[object]", groups)) & set(self.groups) if self.groups else set[object]()
        return shown["id"] in self.contact_ids or bool(within)


def _reached_again(service: Service, again: Sequence[Contact]) -> tuple[str, ...]:
    named = ", ".join(contact.mobile or "?" for contact in again[:SHOWN])
    more = f" and {len(again) - SHOWN} more" if len(again) > SHOWN else ""
    if not again:
        return ("Nobody of them is on the blacklist now.",)
    return (f"{service} reaches {len(again)} again who opted out or were left out: {named}{more}.",)


@routee.operation(
    "DELETE",
    "/contacts/my/blacklist/{service}",
    effect=Effect.PRIVILEGED,
    subject="Let {service} reach {contact_ids:contact} again",
    toolset="contacts",
    docs="remove-contacts-from-blacklist",
    basis=SEEN,
    confirmed_by=("updated",),
    carrier="json",
    synonyms=("opt in", "unblock", "subscribe", "allow"),
)
class RemoveFromBlacklist(Operation[Blacklisting]):
    """Let a service reach contacts again; only where they agreed to it."""

    service: Service
    """Service that leaves them out."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_blacklist."""

    def before(self) -> ListBlacklistAmong:
        return ListBlacklistAmong(service=self.service, contact_ids=self.contact_ids)

    def warnings(self) -> tuple[str, ...]:
        return (AGREED,)

    def changes(self, before: Any) -> tuple[str, ...]:
        return _reached_again(self.service, before.contacts) if isinstance(before, Blacklisted) else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        return _put_back(self.service, before.contacts) if isinstance(before, Blacklisted) else UNREAD

    def verification(self, sent_at: datetime) -> Verification[Blacklisted]:
        return Verification(read=self.before(), check=self._are_off, must_be_new=True)

    def to_array(self) -> list[Any]:
        return [{"id": contact} for contact in self.contact_ids]

    def _are_off(self, still: Blacklisted) -> Evidence:
        if 0 < len(still.contacts) < len(set(self.contact_ids)):
            return Evidence.UNKNOWN
        return Evidence.of(not still.contacts)


@routee.operation(
    "DELETE",
    "/contacts/my/blacklist/{service}/groups",
    effect=Effect.PRIVILEGED,
    subject="Let {service} reach everybody in {groups:group} again",
    toolset="contacts",
    docs="remove-a-group-of-contacts-from-the-blacklist",
    basis=SEEN,
    confirmed_by=("updated",),
    carrier="json",
    synonyms=("opt in", "unblock", "allow group"),
)
class RemoveGroupsFromBlacklist(Operation[Blacklisting]):
    """Let a service reach everybody in groups again; only where they agreed to it."""

    service: Service
    """Service that leaves them out."""

    groups: list[GroupName] = Field(min_length=1)
    """Groups from routee_list_groups."""

    def before(self) -> ListBlacklistAmong:
        return ListBlacklistAmong(service=self.service, groups=self.groups)

    def members(self) -> tuple[Members[Any], ...]:
        return members_of(None, self.groups)

    def warnings(self) -> tuple[str, ...]:
        return (AGREED,)

    def changes(self, before: Any) -> tuple[str, ...]:
        return _reached_again(self.service, before.contacts) if isinstance(before, Blacklisted) else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        return _put_back(self.service, before.contacts) if isinstance(before, Blacklisted) else UNREAD

    def verification(self, sent_at: datetime) -> Verification[Blacklisted]:
        """Who was on it before is not known here, so only a contact that is still listed proves anything."""
        return Verification(read=self.before(), check=lambda still: Evidence.no_if(bool(still.contacts)))

    def to_array(self) -> list[Any]:
        return list(self.groups)


def _put_back(service: Service, listed: Sequence[Contact]) -> Undo:
    ids = [contact.id for contact in listed if contact.id]
    if not ids:
        return Undo(verdict="none", lost="Nobody of them was on the blacklist before.")
    return put_back(
        AddToBlacklist, service=service, contact_ids=ids, lost="What was sent to them meanwhile stays sent."
    )
