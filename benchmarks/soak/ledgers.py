"""Compares what clients were told, what the record says, and what the provider received, call by call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

DONE = "done"
NO_ANSWER = "no answer"
OPEN = frozenset({"sending", "unknown"})
"""States in which nobody knows yet whether the provider has the call."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the client heard last about one call."""

    mark: str
    """Text that only this call contains."""

    kind: str
    outcome: str
    """State of the action, name of the error, or `no answer` where the connection ended first."""

    action: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record says about one action."""

    mark: str
    action: str
    state: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An action whose outcome was unknown before the operator settled it."""

    action: str
    sentence: str
    fault: str | None
    """The fault that caused it; None where none explains it."""


@dataclass(slots=True)
class Comparison:
    """What does not agree. Every list is empty where the guard kept its word."""

    lost: list[str] = field(default_factory=list[str])
    doubled: list[str] = field(default_factory=list[str])
    unrecorded: list[str] = field(default_factory=list[str])
    left_open: list[str] = field(default_factory=list[str])
    unexplained: list[str] = field(default_factory=list[str])

    @property
    def agrees(self) -> bool:
        """True where nothing was found."""
        return not (self.lost or self.doubled or self.unrecorded or self.left_open or self.unexplained)


def compare(
    told: Iterable[Told],
    recorded: Sequence[Recorded],
    received: Mapping[str, int],
    unknown: Iterable[Unknown] = (),
) -> Comparison:
    """Compare the three ledgers. `received` counts, by mark, the requests that took effect at the provider."""
    found = Comparison()
    done = [one.mark for one in recorded if one.state == DONE]
    for mark in sorted({*done, *received}):
        times, expected = received.get(mark, 0), done.count(mark)
        if times > 1:  # clients make a call again only while it waits, so a mark is one call
            found.doubled.append(f"{mark}: received {times} times, {expected} of its actions are done")
        elif times < expected:
            found.lost.append(f"{mark}: {expected} of its actions are done, received {times} times")
        elif times > expected:
            states = ", ".join(f"{one.action} {one.state}" for one in recorded if one.mark == mark) or "no action"
            found.unrecorded.append(f"{mark}: received, and the record says {states}")
    for one in told:
        if one.outcome == DONE and one.mark not in done:
            found.lost.append(f"{one.mark}: the client was told that it is done, the record does not say so")
    found.left_open += [f"{one.action} is {one.state}" for one in recorded if one.state in OPEN]
    found.unexplained += [f"{one.action}: {one.sentence}" for one in unknown if one.fault is None]
    return found
