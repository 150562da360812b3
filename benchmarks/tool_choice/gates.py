"""What the search has to reach, and what it does not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.tool_choice.scoring import Request, RequestSet, Score, Way, score


@dataclass(frozen=True, slots=True)
class Gate:
    """The least that counts as passed."""

    first: float
    """Share of requests with a right tool first."""

    in_five: float
    wrong_taken: float
    """The most wrong first answers that remove, give up or reroute something, as a share."""


GATES: Mapping[Way, Gate] = {
    "first call": Gate(first=0.90, in_five=0.99, wrong_taken=0.01),
    "own words": Gate(first=0.60, in_five=0.85, wrong_taken=0.01),
}
MOST_GUARDED: Mapping[Way, float] = {"first call": 0.10, "own words": 0.10}
"""The most requests for what nobody offers that are answered with a guarded operation first, as a share."""


def misses_of(sets: Iterable[RequestSet]) -> list[str]:
    """Return what the sets that nobody looked at, taken together, miss of the gates, a sentence each."""
    untouched = [one for one in sets if not one.was_looked_at]
    missed: list[str] = []
    for way, gate in GATES.items():
        possible = _joined(one for one in untouched if one.way == way and not one.is_impossible)
        if possible is not None:
            missed += _misses(way, gate, possible)
        impossible = _joined(one for one in untouched if one.way == way and one.is_impossible)
        if impossible is not None and impossible.guarded > MOST_GUARDED[way]:
            missed.append(f"{way}: {impossible.guarded:.3f} of what nobody offers gets a guarded operation first")
    return missed


def _joined(sets: Iterable[RequestSet]) -> Score | None:
    requests: tuple[Request, ...] = tuple(request for one in sets for request in one.requests)
    return score(requests) if requests else None


def _misses(way: Way, gate: Gate, found: Score) -> list[str]:
    missed: list[str] = []
    if found.recall(1) < gate.first:
        missed.append(f"{way}: {found.recall(1):.3f} first, at least {gate.first}")
    if found.recall(5) < gate.in_five:
        missed.append(f"{way}: {found.recall(5):.3f} among five, at least {gate.in_five}")
    if found.wrong_taken > gate.wrong_taken:
        missed.append(f"{way}: {found.wrong_taken:.3f} take a wrong thing, at most {gate.wrong_taken}")
    return missed
