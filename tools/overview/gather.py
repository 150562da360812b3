"""Reads all providers at once. One that is down, offers no such read, or may not be read is a gap with its reason.

So a list with a provider missing never looks complete.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import anyio

from clients.errors import TelephonyError
from clients.redaction import redact
from tools.builtin import Session
from tools.overview.views import NotOffered, TooLong, View
from tools.policy_reader import NotAllowed

T = TypeVar("T")

LIMIT_SECONDS = 20.0
"""How long one provider may take before it counts as a gap."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing from an answer, and why."""

    provider: str
    why: str


@dataclass(frozen=True, slots=True)
class Gathered(Generic[T]):
    """The answers by provider, and the gaps."""

    found: Mapping[str, T]
    gaps: list[Gap]

    def with_gaps_of(self, other: "Gathered[Any]") -> "Gathered[T]":
        """Add the gaps of another read."""
        known = {gap.provider for gap in self.gaps}
        return replace(self, gaps=[*self.gaps, *(gap for gap in other.gaps if gap.provider not in known)])


async def gather(
    views: Mapping[str, View], read: Callable[[View], Awaitable[T]], session: Session | None = None
) -> Gathered[T]:
    """Make one read at every provider at the same time; `session` hears of each of several that is finished."""
    found: dict[str, T] = {}
    missing: dict[str, str] = {}
    finished: list[str] = []

    async def report(name: str) -> None:
        finished.append(name)
        if session is not None and len(views) > 1:
            await session.report_progress(len(finished), len(views), f"{name} is finished.")

    async def read_one(name: str, view: View) -> None:
        missing[name] = f"it did not answer within {LIMIT_SECONDS:.0f} seconds"
        with anyio.move_on_after(LIMIT_SECONDS):
            try:
                found[name] = await read(view)
            except (NotOffered, TooLong, NotAllowed) as known:
                missing[name] = str(known)
            except TelephonyError as error:
                missing[name] = redact(f"{type(error).__name__}: {error}")
        await report(name)

    async with anyio.create_task_group() as group:
        for name, view in views.items():
            group.start_soon(read_one, name, view)
    gaps = [Gap(name, missing[name]) for name in views if name not in found]
    return Gathered({name: found[name] for name in views if name in found}, gaps)
