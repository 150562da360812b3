"""Whom a bulk send of Routee reaches through contact ids and groups."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from clients.audience import Members
from tools.routee.contacts import Contact, Contacts, GetContact
from tools.routee.groups import ListGroupContacts

LARGEST_PAGE: Final = 500


def members_of(contacts: Sequence[str] | None, groups: Sequence[str] | None) -> tuple[Members[Any], ...]:
    """The reads that show the numbers of contacts and of everybody in groups."""
    singly = [Members(read=GetContact(contact_id=contact), numbers=_number_of) for contact in contacts or ()]
    grouped = [
        Members(read=ListGroupContacts(name=group, limit=LARGEST_PAGE), numbers=_numbers_on) for group in groups or ()
    ]
    return (*singly, *grouped)


def _number_of(contact: Contact) -> Iterable[str | None]:
    return (_e164(contact.mobile),)


def _numbers_on(page: Contacts) -> Iterable[str | None]:
    """None for those that a page counts and neither shows nor promises on a next one."""
    missing = page.last is None and (page.total or 0) > len(page.contacts)
    return (*(_e164(contact.mobile) for contact in page.contacts), *((None,) if missing else ()))


def _e164(mobile: str | None) -> str | None:
    """Contacts are made with a plus sign; that one may be missing in an answer is taken care of."""
    return f"+{mobile.removeprefix('+')}" if mobile else None
