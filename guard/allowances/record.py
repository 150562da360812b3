"""What the guard and the operator's surfaces need of the store about allowances."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from guard.allowances.allowance import Allowance, AllowanceRequest, Terms, Usage


class AllowanceRecord(Protocol):
    """Allowances on the record. Every method raises `JournalUnavailable` when the record cannot be read or written."""

    async def in_force(self, operation: str, principal: str | None, at: datetime) -> Sequence[Allowance]:
        """Return the allowances for an operation, the oldest first: for one asker, or for all."""
        ...

    async def usage(self, found: Sequence[Allowance], at: datetime) -> Mapping[str, Usage]:
        """Return what each allowance let through in its windows, by its id."""
        ...

    async def texted_us(self, numbers: Collection[str], since: datetime, until: datetime) -> frozenset[str]:
        """Return those of the numbers, in E.164, that sent this server a text between two times."""
        ...

    async def request(self, terms: Terms, reason: str, at: datetime) -> AllowanceRequest | None:
        """Record that somebody asks for an allowance; None if as many of theirs as may be are open already."""
        ...


class NoAllowances:
    """A record without allowances."""

    async def in_force(self, operation: str, principal: str | None, at: datetime) -> Sequence[Allowance]:
        """Return nothing."""
        return ()

    async def usage(self, found: Sequence[Allowance], at: datetime) -> Mapping[str, Usage]:
        """Return nothing."""
        return {}

    async def texted_us(self, numbers: Collection[str], since: datetime, until: datetime) -> frozenset[str]:
        """Return nothing."""
        return frozenset()

    async def request(self, terms: Terms, reason: str, at: datetime) -> AllowanceRequest | None:
        """Record nothing."""
        return None
