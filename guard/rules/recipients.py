"""Whom a call reaches beyond the numbers that it names: its groups and lists, looked up before anybody is asked."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from clients.errors import TelephonyError
from clients.operation import Exchange, Members, Operation, UnresolvableRecipients
from clients.phone_numbers import canonical
from guard.errors import RecipientsChanged
from guard.rules.quote import Quote

R = TypeVar("R")

MAX_READS: Final = 40
"""How many reads one call may take; with pages of 500 that is 20,000 people. Larger groups are treated as unknown."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """The people of a call's groups and lists."""

    numbers: tuple[str, ...] = ()
    """In E.164, each once."""

    unknown: str = ""
    """Why there may be more than these; empty where they are all."""

    def with_destinations(self, operation: Operation[Any]) -> tuple[str, ...]:
        """Return the numbers that a call names itself and these, each telephone once."""
        telephones = {canonical(number) or number: number for number in (*operation.destinations(), *self.numbers)}
        return tuple(telephones.values())

    @property
    def digest(self) -> str:
        """What tells these people from others; empty where there are none or they are not all known."""
        if self.unknown or not self.numbers:
            return ""
        return hashlib.sha256(" ".join(sorted(self.numbers)).encode()).hexdigest()


class MemberReader(Protocol):
    """The client of one account, as far as reading needs it."""

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Make one call."""
        ...


async def resolve_recipients(operation: Operation[Any], reader: MemberReader) -> Recipients:
    """Whom a call reaches beyond the numbers that it names. What cannot be looked up is said to be unknown."""
    return await read_members(operation.members(), reader)


async def read_members(named: Iterable[Members[Any] | UnresolvableRecipients], reader: MemberReader) -> Recipients:
    """Read who is in groups and lists. What cannot be looked up is said to be unknown."""
    numbers: dict[str, None] = {}
    reads = 0
    for members in named:
        if isinstance(members, UnresolvableRecipients):
            return Recipients(tuple(numbers), members.reason)
        read = members.read
        while True:
            reads += 1
            if reads > MAX_READS:
                return Recipients(tuple(numbers), f"they are too many to be looked up with {MAX_READS} reads")
            try:
                page = (await reader.exchange(read)).answer
            except TelephonyError as failed:
                return Recipients(tuple(numbers), f"they could not be looked up: {failed}")
            if (unshown := _add(numbers, members, page)) is not None:
                return Recipients(tuple(numbers), unshown)
            cursor = read.next_cursor(page)
            if cursor is None:
                break
            read = read.model_copy(update={"cursor": cursor})
    return Recipients(tuple(numbers))


def require_unchanged(approved: Quote, operation: Operation[Any], found: Recipients) -> None:
    """Check that a call reaches those it was approved for: a group's name stays, its members may be others.

    Raises:
        RecipientsChanged: It reaches other people now, or it can no longer be told.
    """
    now = recipient_count(operation, found)
    if approved.recipients is None or (now is not None and found.digest == approved.members):
        return
    shown = "an unknown number" if now is None else str(now)
    if now == approved.recipients:
        shown += ", not all of them the same"
    raise RecipientsChanged(
        f"You approved {approved.recipients} recipients, and now it reaches {shown}; nothing was sent."
    )


def later_members_note(operation: Operation[Any]) -> str:
    """Say whom a scheduled send to groups or lists may reach besides those of now; empty where they are fixed."""
    members = [one for one in operation.members() if isinstance(one, Members)]
    later = [one for one in members if one.fixed_at != "call"]
    if not operation.scheduled_at() or not later:
        return ""
    provider = operation.spec.provider.title
    if all(one.fixed_at == "departure" for one in later):
        when = f"{provider} looks up its groups and lists only when it goes out"
    else:
        when = f"Whether {provider} looks up its groups and lists now or when it goes out is not known"
    return (
        f"{when}: whoever joins or opts out until then may be reached all the same. "
        "To reach exactly the people of now, send it to their numbers instead."
    )


def recipient_count(operation: Operation[Any], found: Recipients) -> int | None:
    """How many numbers or recipients a call touches, None where that is not known."""
    if found.unknown:
        return None
    return max(operation.recipient_count(), len(found.with_destinations(operation)))


def _add(numbers: dict[str, None], members: Members[Any], page: Any) -> str | None:
    for number in members.numbers(page):
        if number is None:
            return "not every one of them is shown with a number"
        numbers[number] = None
    return None
