"""Decides whether what fits best may come first: a wrong answer that takes something away is worse than none."""

from collections.abc import Sequence

from tools.discovery.entries import Entry, Match
from tools.discovery.request import SearchRequest, direction_of

GAP_LIKENESS = 0.35
GAP_LEAD = 0.1
GAP_SHARE = 0.45
"""A request is for what nothing does where it is as similar to such requests, by so much more than to what fits best,
and where their words weigh at least this share.
"""

SOME_NAME = 0.3
ALIKE = 0.35
VERY_ALIKE = 0.45
"""How much of its name, or what likeness, speaks for an operation that otherwise does not seem to be meant."""

LEAST_NAMED = 0.3
LEAST_LIKENESS = 0.15
"""How much of its name, or what likeness, a guarded operation has to have to come first."""


def is_doubtful(entry: Entry, request: SearchRequest, likeness: float, in_name: float) -> bool:
    """Return True for what does something else than a request asks for, or takes something else away."""
    if not entry.is_guarded:
        return False
    if entry.takes_away and in_name < SOME_NAME and likeness < ALIKE:
        return True
    does = direction_of(entry.verb)
    if does == "ends":
        return not request.removes or request.direction in ("reads", "brings")
    if request.direction == "ends":
        return does == "brings" or likeness < ALIKE
    return request.direction == "reads" and entry.takes_away and likeness < VERY_ALIKE


def answer_for_gap(matches: Sequence[Match], offered: Sequence[Match]) -> str | None:
    """Return what to answer where a request is more like one that nothing fits than like what fits best."""
    gaps = [match for match in matches if match.entry.answer is not None and match.likeness >= GAP_LIKENESS]
    gap = max(gaps, key=lambda match: match.likeness, default=None)
    if gap is None:
        return None
    best = offered[0] if offered else None
    if best is not None and not best.is_doubtful:
        too_like = best.likeness + GAP_LEAD > gap.likeness
        if best.is_named or too_like or best.score * GAP_SHARE > gap.score:
            return None
    return gap.entry.answer


def is_sure(match: Match) -> bool:
    """Return True if a match may come first: what only reads always, anything else where enough speaks for it."""
    if not match.entry.is_guarded:
        return True
    return not match.is_doubtful and (match.named >= LEAST_NAMED or match.likeness >= LEAST_LIKENESS)
