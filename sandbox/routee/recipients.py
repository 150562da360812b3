"""Who a bulk send goes to: numbers, contacts and groups, less the blacklisted, and the analysis of them."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta

from sandbox.routee.networks import require_country
from sandbox.routee.records import Audience, Contact, Recipient
from sandbox.routee.state import State
from sandbox.routee.wire import Wire, refused

_QUIET_NIGHT = (23, 8)
_QUIET_NOON = (14, 17)


def gather(
    state: State,
    service: str,
    to: Sequence[str],
    contacts: Sequence[str],
    groups: Sequence[str],
    reachable: Callable[[str], bool],
    *,
    allow_invalid: bool = False,
) -> Audience:
    """Collect the recipients of a bulk send; nobody gets it twice.

    Numbers of blacklisted contacts are left out wherever they are named (for `to` that is inferred).

    Raises:
        Refusal: 400005000 for no or invalid recipients, 404002001 for an unknown contact, 400009004 if nobody is left.
    """
    if not (to or contacts or groups):
        raise refused("400005000", "No recipients were specified. (errorCode: 004)")
    named = [_contact(state, identifier) for identifier in contacts]
    members = {group: _members(state, group) for group in groups}
    everyone = [
        *to,
        *(contact.mobile for contact in named),
        *(one.mobile for group in members.values() for one in group),
    ]
    bad = dict.fromkeys(number for number in everyone if not reachable(number))
    errors = [_invalid_recipients(list(bad))] if bad else []
    if bad and not allow_invalid:
        raise refused("400005000", "The recipients are not valid mobile numbers. (errorCode: 008)", errors=errors)

    recipients: dict[str, Recipient] = {}
    for number in to:
        recipients.setdefault(number, Recipient(number, state.contact_with(number)))
    for contact in named:
        recipients.setdefault(contact.mobile, Recipient(contact.mobile, contact))
    specified = len(_allowed(recipients, service, bad))
    for contact in (one for group in members.values() for one in group):
        within = tuple(group for group in groups if group in contact.groups)
        recipients.setdefault(contact.mobile, Recipient(contact.mobile, contact, within))
    left = _allowed(recipients, service, bad)
    if not left:
        raise refused("400009004", "Your campaign has no recipients.")
    return Audience(left, _analysis(service, left, specified, to, named, members, bad), errors)


def fill_labels(text: str, contact: Contact | None, fallback: dict[str, str]) -> str:
    """Replace `[~{label}]` in a text; a label without value and fallback leaves nothing (inferred)."""
    head, *pieces = text.split("[~{")
    for piece in pieces:
        name, end, rest = piece.partition("}]")
        value = (contact.label(name) if contact else "") or fallback.get(name, "")
        head += value + rest if end else "[~{" + piece
    return head


def quiet_until(number: str, moment: datetime) -> datetime:
    """When a number may be disturbed at the earliest: 23 to 8 and 14 to 17 o'clock of its own time are quiet."""
    offset = require_country(number).offset
    local = moment + offset
    for start, end in (_QUIET_NIGHT, _QUIET_NOON):
        if start <= local.hour < end or (start > end and (local.hour >= start or local.hour < end)):
            over = local.replace(hour=end, minute=0, second=0, microsecond=0)
            return (over if over > local else over + timedelta(days=1)) - offset
    return moment


def _contact(state: State, identifier: str) -> Contact:
    contact = state.contacts.get(identifier)
    if contact is None:
        raise refused("404002001", f"The contact {identifier} does not exist.")
    return contact


def _members(state: State, group: str) -> list[Contact]:
    if group not in state.groups:
        # inferred: the code is documented, that it means an unknown group is not
        raise refused("404002012", f"The group {group} does not exist.")
    return [contact for contact in state.contacts.values() if group in contact.groups]


def _invalid_recipients(numbers: list[str]) -> Wire:
    return {"code": "400005000", "developerMessage": "Invalid recipients", "property": ", ".join(numbers)}


def _allowed(recipients: dict[str, Recipient], service: str, bad: Container[str]) -> list[Recipient]:
    return [
        recipient
        for recipient in recipients.values()
        if recipient.number not in bad and not (recipient.contact and service in recipient.contact.blacklisted)
    ]


def _analysis(
    service: str,
    left: list[Recipient],
    specified: int,
    to: Sequence[str],
    named: list[Contact],
    members: dict[str, list[Contact]],
    bad: Container[str],
) -> Wire:
    return {
        "contacts": {
            contact.id: {
                "recipient": contact.mobile,
                "recipientCountry": contact.country,
                "blacklisted": service in contact.blacklisted,
            }
            for contact in named
        },
        "numberOfRecipients": len(left),
        "recipientCountries": {number: require_country(number).iso for number in to if number not in bad},
        "recipientsPerCountry": dict(Counter(require_country(recipient.number).iso for recipient in left)),
        "recipientsPerGroup": {
            group: sum(service not in contact.blacklisted for contact in contacts)
            for group, contacts in members.items()
        },
        "totalInGroups": len(left) - specified,
    }
