"""Whom a call reaches where its arguments name them by group, list or reference instead of by number."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from clients.operation import Operation

A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Members(Generic[A]):
    """People whose numbers a read shows. A read that comes in pages has a `cursor` and is read to its end."""

    read: "Operation[A]"

    numbers: Callable[[A], Iterable[str | None]]
    """Their numbers in E.164; None for one whose number the answer does not show. Held to the rules for destinations
    where the call is paid, and counted in any case."""


@dataclass(frozen=True, slots=True)
class UnresolvableRecipients:
    """People whose numbers no read shows before the call."""

    reason: str
    """Why, as the end of a sentence: `a dialplan that is fetched may dial any number`."""
