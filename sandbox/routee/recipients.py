"""Who a bulk send goes to: numbers, contacts and groups, less the blacklisted, and the analysis of them."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from sandbox.frame.wire import Wire
from sandbox.routee.fields import Recipients
from sandbox.routee.networks import is_callable, is_mobile, require_country
from sandbox.routee.records import Audience, Contact, Recipient
from sandbox.routee.state import State
from sandbox.routee.wire import refuse

_LABEL = re.compile(r"\[~(?:\{(?P<braced>[^\][{}~]+)\}|(?P<plain>[^\][{}~]+))\]")
_QUIET_NIGHT = (23, 8)
_QUIET_NOON = (14, 17)


def gather(state: State, service: str, wanted: Recipients, *, allow_invalid: bool = False) -> Audience:
    """Collect the recipients of a bulk send; nobody gets it twice.

    Numbers of blacklisted contacts are left out wherever they are named (for `to` that is inferred).

    Raises:
        Refusal: 400005000 for no or invalid recipients, 404002001 for an unknown contact, 400009004 if nobody is left.
    """
    if not (wanted.to or wanted.contacts or wanted.groups):
        raise refuse("400005000", "No recipients were specified. (errorCode: 004)")
    named = [state.require_contact(identifier) for identifier in wanted.contacts]
    members = {group: state.members(group) for group in wanted.groups}
    in_groups = [contact for group in members.values() for contact in group]
    everyone = [*wanted.to, *(contact.mobile for contact in [*named, *in_groups])]
    reachable = is_callable if service == "Voice" else is_mobile
    bad = dict.fromkeys(number for number in everyone if not reachable(number))
    errors = [_invalid_recipients(bad)] if bad else []
    if bad and not allow_invalid:
        raise refuse("400005000", "The recipients are not valid mobile numbers. (errorCode: 008)", errors=errors)

    recipients: dict[str, Recipient] = {}

    def keep_allowed() -> list[Recipient]:
        return [
            one
            for one in recipients.values()
            if one.number not in bad and not (one.contact and service in one.contact.blacklisted)
        ]

    for number in wanted.to:
        recipients.setdefault(number, Recipient(number, state.contact_with(number)))
    for contact in named:
        recipients.setdefault(contact.mobile, Recipient(contact.mobile, contact))
    specified = len(keep_allowed())
    for contact in in_groups:
        within = tuple(group for group in wanted.groups if group in contact.groups)
        recipients.setdefault(contact.mobile, Recipient(contact.mobile, contact, within))
    left = keep_allowed()
    if not left:
        raise refuse("400009004", "Your campaign has no recipients.")
    analysis: Wire = {
        "contacts": {
            contact.id: {
                "recipient": contact.mobile,
                "recipientCountry": contact.country,
                "blacklisted": service in contact.blacklisted,
            }
            for contact in named
        },
        "numberOfRecipients": len(left),
        "recipientCountries": {number: require_country(number).iso for number in wanted.to if number not in bad},
        "recipientsPerCountry": dict(Counter(require_country(recipient.number).iso for recipient in left)),
        "recipientsPerGroup": {
            group: sum(service not in contact.blacklisted for contact in contacts)
            for group, contacts in members.items()
        },
        "totalInGroups": len(left) - specified,
    }
    return Audience(left, analysis, errors)


def fill_labels(text: str, contact: Contact | None, fallback: dict[str, str]) -> str:
    """Replace labels in a text; one without value and fallback leaves nothing (inferred).

    The reference writes `[~{label}]`, public clients write `[~label]`. Which of them the real server takes is not
    known; this one takes both.
    """

    def value_of(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        return (contact.label(name) if contact else "") or fallback.get(name, "")

    return _LABEL.sub(value_of, text)


def quiet_until(number: str, moment: datetime) -> datetime:
    """Return when a number may be disturbed at the earliest: 23 to 8 and 14 to 17 o'clock of its own time are quiet."""
    offset = require_country(number).offset
    local = moment + offset
    for start, end in (_QUIET_NIGHT, _QUIET_NOON):
        if start <= local.hour < end or (start > end and (local.hour >= start or local.hour < end)):
            over = local.replace(hour=end, minute=0, second=0, microsecond=0)
            return (over if over > local else over + timedelta(days=1)) - offset
    return moment


def _invalid_recipients(numbers: Iterable[str]) -> Wire:
    return {"code": "400005000", "developerMessage": "Invalid recipients", "property": ", ".join(numbers)}
