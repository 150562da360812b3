"""Asks every provider at once. One that is down, cannot tell, or may not be read is a gap with its reason.

So an answer never is a shorter list that looks like a whole one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import anyio

from clients.errors import TelephonyError
from clients.redaction import redact
from tools.overview.views import NotOffered, TooLong, View
from tools.policy_reader import NotAllowed

T = TypeVar("T")

LIMIT_SECONDS = 20.0
"""How long one provider may take before the answer goes on without it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing from an answer, and why."""

    provider: str
    why: str


@dataclass(frozen=True, slots=True)
class Gathered(Generic[T]):
    """What each provider answered, and what is missing."""

    found: Mapping[str, T]
    gaps: list[Gap]

    def with_gaps_of(self, other: "Gathered[Any]") -> "Gathered[T]":
        """Add what was missing from the answers to another question."""
        known = {gap.provider for gap in self.gaps}
        return replace(self, gaps=[*self.gaps, *(gap for gap in other.gaps if gap.provider not in known)])


async def gather(views: Mapping[str, View], question: Callable[[View], Awaitable[T]]) -> Gathered[T]:
    """Put one question to every provider at the same time."""
    found: dict[str, T] = {}
    missing: dict[str, str] = {}

    async def ask(name: str, view: View) -> None:
        missing[name] = f"it did not answer within {LIMIT_SECONDS:.0f} seconds"
        with anyio.move_on_after(LIMIT_SECONDS):
            try:
                found[name] = await question(view)
            except (NotOffered, TooLong, NotAllowed) as known:
                missing[name] = str(known)
            except TelephonyError as error:
                missing[name] = redact(f"{type(error).__name__}: {error}")

    async with anyio.create_task_group() as group:
        for name, view in views.items():
            group.start_soon(ask, name, view)
    gaps = [Gap(name, missing[name]) for name in views if name not in found]
    return Gathered({name: found[name] for name in views if name in found}, gaps)
