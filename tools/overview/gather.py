"""Reads all accounts at all providers at once. What is down, not offered, or may not be read is a gap with its reason.

So a list with a provider missing, or a row with a field missing, never looks complete.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

import anyio

from clients.errors import TelephonyError
from tools.builtin import Session
from tools.overview.optional_reads import describe_failure
from tools.overview.views import NotOffered, Partial, TooLong, View
from tools.policy_reader import NotAllowed

T = TypeVar("T")

LIMIT_SECONDS = 20.0
"""How long one provider may take before it counts as a gap."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing from an answer, and why."""

    source: str
    """Name of the account, or what else was read."""

    why: str
    what: str | None = None
    """The field or part that is missing; None where the account's whole answer is."""


@dataclass(frozen=True, slots=True)
class Gathered(Generic[T]):
    """The answers by the account's name, and the gaps."""

    found: Mapping[str, T]
    gaps: list[Gap]

    def with_gaps_of(self, other: "Gathered[Any]", *, for_what: str) -> "Gathered[T]":
        """Add the gaps of another read, which was made for one part of the answer."""
        known = {gap.source for gap in self.gaps if gap.what is None}
        more = [replace(gap, what=for_what) for gap in other.gaps if gap.source not in known]
        return replace(self, gaps=[*self.gaps, *more])

    def with_gaps(self, source: str, gaps: Mapping[str, str]) -> "Gathered[T]":
        """Add what is missing from another source than the providers, with the reason by field or part."""
        return replace(self, gaps=[*self.gaps, *(Gap(source, why, what) for what, why in gaps.items())])

    def without_gaps(self) -> "Gathered[T]":
        """Return the same answers without what is missing, where that does not matter."""
        return replace(self, gaps=[])

    def lacks(self, account: str, what: str) -> bool:
        """Return True if a field or part of an account's answer could not be read."""
        return any(gap.source == account and gap.what == what for gap in self.gaps)


async def gather(
    views: Mapping[str, View], read: Callable[[View], Awaitable[T | Partial[T]]], session: Session | None = None
) -> Gathered[T]:
    """Make one read on every account at the same time; `session` hears of each of several that is finished."""
    found: dict[str, T] = {}
    gaps: dict[str, list[Gap]] = {}
    finished: list[str] = []

    async def report(name: str) -> None:
        finished.append(name)
        if session is not None and len(views) > 1:
            await session.report_progress(len(finished), len(views), f"{name} is finished.")

    async def read_one(name: str, view: View) -> None:
        gaps[name] = [Gap(name, f"it did not answer within {LIMIT_SECONDS:.0f} seconds")]
        with anyio.move_on_after(LIMIT_SECONDS):
            try:
                answer = await read(view)
            except (NotOffered, TooLong, NotAllowed, TelephonyError) as failed:
                gaps[name] = [Gap(name, describe_failure(failed))]
            else:
                found[name], gaps[name] = _split(name, answer)
        await report(name)

    async with anyio.create_task_group() as group:
        for name, view in views.items():
            group.start_soon(read_one, name, view)
    return Gathered(
        {name: found[name] for name in views if name in found}, [gap for name in views for gap in gaps[name]]
    )


def _split(account: str, answer: T | Partial[T]) -> tuple[T, list[Gap]]:
    """Return what a provider's view found, and what is missing from it."""
    if not isinstance(answer, Partial):
        return answer, []
    partial = cast("Partial[T]", answer)
    return partial.found, [Gap(account, why, what) for what, why in partial.gaps.items()]
