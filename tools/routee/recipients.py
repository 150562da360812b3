"""Whom a bulk send of Routee reaches through contact ids and groups."""

from collections.abc import Iterable, Sequence
from typing import Any

from clients.operation import Members
from tools.routee.operations.contacts import Contact, Contacts, GetContact
from tools.routee.operations.groups import ListGroupContacts
from tools.routee.paging import LARGEST_PAGE


def members_of(
    contacts: Sequence[str] | None, groups: Sequence[str] | None, service: str = ""
) -> tuple[Members[Any], ...]:
    """Return the reads that show the numbers of contacts and of everybody in groups.

    Whom Routee's blacklist keeps from the service is not reached by it (documented), and not among them; without a
    service everybody is.
    """

    def of_one(contact: Contact) -> Iterable[str | None]:
        return _numbers((contact,), service)

    def of_page(page: Contacts) -> Iterable[str | None]:
        lacks_rows = page.shown is None or (page.pages == 1 and page.total not in (None, page.shown))
        return [*_numbers(page.contacts, service), *([None] if lacks_rows else [])]

    singly = [Members(read=GetContact(contact_id=contact), numbers=of_one) for contact in contacts or ()]
    grouped = [
        Members(read=ListGroupContacts(name=group, limit=LARGEST_PAGE), numbers=of_page) for group in groups or ()
    ]
    return (*singly, *grouped)


def members_of_group(name: str) -> Members[Any]:
    """Return the read that shows the numbers of everybody in a group."""
    [members] = members_of(None, [name])
    return members


def _numbers(contacts: Iterable[Contact], service: str) -> list[str | None]:
    """Contacts are made with a plus sign; that one may be missing in an answer is taken care of."""
    return [
        f"+{contact.mobile.removeprefix('+')}" if contact.mobile else None
        for contact in contacts
        if service not in contact.blacklisted_services
    ]
