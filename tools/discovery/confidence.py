"""Decides whether what fits best may come first: a wrong answer that takes something away is worse than none."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.discovery.entries import Entry, Match
from tools.discovery.request import SearchRequest, direction_of


@dataclass(frozen=True, slots=True)
class GapLimits:
    """When a request counts as one for what nothing does."""

    likeness: float
    """How similar it has to be to such requests."""

    lead: float
    """How much more similar than to what fits best."""

    share: float
    """How much their words have to weigh, as a share of the score of what fits best."""


READ_GAP = GapLimits(likeness=0.5, lead=0.2, share=0.5)
GUARDED_GAP = GapLimits(likeness=0.3, lead=0.05, share=0.4)
"""Where what fits best is guarded, less is enough: a wrong one does harm."""

APART_GAP = GapLimits(likeness=0.3, lead=-0.05, share=0.25)
"""Where the request also has a word that is said of nothing else."""

APART = 0.1
"""How much more alike a request counts that has such a word."""

DOUBTFUL_GAP = 0.35
"""How similar it has to be where what fits best is doubtful."""

CERTAIN = 0.6
MUCH_MORE = 0.3
"""Where a request is so similar to one that nothing fits, its weight does not count."""

SOME_NAME = 0.3
ALIKE = 0.35
VERY_ALIKE = 0.45
"""How much of its name, or what likeness, speaks for an operation that otherwise does not seem to be meant."""


@dataclass(frozen=True, slots=True)
class SureLimits:
    """When a guarded operation may come first."""

    named: float
    """How much of the nouns in its name a request that asks for its verb has to have."""

    likeness: float
    """How similar a request has to be to an utterance, whatever its verb."""

    likeness_if_named: float
    """How similar it has to be where it has the name."""


NAMED_WELL = 0.7
GUARDED = SureLimits(named=0.3, likeness=0.15, likeness_if_named=0.08)
TAKES_AWAY = SureLimits(named=0.5, likeness=0.45, likeness_if_named=0.4)


RIVAL = 0.15
"""How similar a request has to be to a wish that nothing fulfils for that wish to speak against what fits best."""

RIVALLED = 1.0
"""How much has to speak against a guarded operation for it not to come first."""

WORDS_LACKING = 0.75
"""How much the words that it lacks, and how much more alike the wish is, count beside the weight of the wish."""

UNRIVALLED = 0.25
UNRIVALLED_NAMED = 0.35
"""Where such wishes weigh less and a match lacks no word, its verb, likeness and so much of its name are enough."""

OBJECT_MISSED = 0.5
UNLIKE_IF_MISSED = 0.2
"""Where a match has less than so much of what the request's verb is followed by, and the request is so little alike."""

FEW_WORDS = 4
HAD = 0.6
UNLIKE_IF_MISSING = 0.35
"""Where a match has words for less than so much of a request of so few words, which is so little alike. A longer
request tells a story, whose words no operation has.
"""

HAD_ALL = 0.9
NAMED_IF_HAD_ALL = 0.4
LIGHT_IF_HAD_ALL = 0.4
"""Where a match has words for all of a request, and so much of its name is said, and wishes that nothing fulfils weigh
less; what takes something away needs more of its name.
"""

NOTHING = 0.01
"""A share that stands for none."""


def is_doubtful(entry: Entry, request: SearchRequest, likeness: float, in_name: float) -> bool:
    """Return True for what does something else than a request asks for, or takes something else away."""
    if not entry.is_guarded:
        return False
    if entry.takes_away and in_name < SOME_NAME and likeness < VERY_ALIKE:
        return True
    does = direction_of(entry.verb)
    if does == "ends":
        return not request.removes or request.direction in ("reads", "brings")
    if request.direction == "ends":
        return does == "brings" or likeness < ALIKE
    return request.direction == "reads" and entry.takes_away and likeness < VERY_ALIKE


def answer_for_gap(matches: Sequence[Match], offered: Sequence[Match]) -> str | None:
    """Return what to answer where a request is more like one that nothing fits than like what fits best."""
    gaps = (match for match in matches if match.entry.answer is not None)
    gap = max(gaps, key=lambda match: match.likeness + APART * match.is_apart, default=None)
    best = offered[0] if offered else None
    if gap is None or gap.likeness < GUARDED_GAP.likeness:
        return None
    if best is None or (best.is_doubtful and gap.likeness >= DOUBTFUL_GAP):
        return gap.entry.answer
    least = READ_GAP
    if best.entry.is_guarded:
        least = APART_GAP if gap.is_apart else GUARDED_GAP
    is_alike = gap.likeness >= max(least.likeness, best.likeness + least.lead)
    is_certain = best.entry.is_guarded and gap.likeness >= max(CERTAIN, best.likeness + MUCH_MORE)
    is_heavy = is_certain or gap.score >= best.score * least.share
    return gap.entry.answer if is_alike and is_heavy and (is_certain or not best.is_named) else None


def is_sure(match: Match, matches: Sequence[Match]) -> bool:
    """Return True if what fits best may come first: what only reads, or where enough speaks for it."""
    if not match.entry.is_guarded:
        return True
    gaps = [other for other in matches if other.entry.answer is not None]
    if match.is_doubtful or is_beside(match) or any(_is_rivalled(match, gap) for gap in gaps):
        return False
    heaviest = max((gap.score for gap in gaps), default=0.0)
    takes_away = match.entry.takes_away
    is_unrivalled = not takes_away and heaviest < match.score * UNRIVALLED and match.lacking < NOTHING
    if is_unrivalled and match.is_meant and match.named >= UNRIVALLED_NAMED and match.likeness >= GUARDED.likeness:
        return True
    named_enough = match.named >= (NAMED_WELL if takes_away else NAMED_IF_HAD_ALL)
    if match.had >= HAD_ALL and named_enough and heaviest < match.score * LIGHT_IF_HAD_ALL:
        return True
    limits = TAKES_AWAY if takes_away else GUARDED
    is_meant = match.is_meant and match.named >= limits.named
    is_alike = match.likeness >= limits.likeness or (
        match.named >= NAMED_WELL and match.likeness >= limits.likeness / 2
    )
    return is_meant or is_alike


def is_beside(match: Match) -> bool:
    """Return True if what a request asks for has no word in what fits best: only its verb, or a common noun, fits."""
    if match.is_short_request and match.had < HAD and match.likeness < UNLIKE_IF_MISSING:
        return True
    return match.object_had < OBJECT_MISSED and match.likeness < UNLIKE_IF_MISSED


def _is_rivalled(match: Match, gap: Match) -> bool:
    """Return True if a wish that nothing fulfils, and the words that a match lacks, speak against the match."""
    if gap.likeness < RIVAL:
        return False
    weight = min(gap.score / match.score, 1.0)
    return weight + WORDS_LACKING * (match.lacking + gap.likeness - match.likeness) > RIVALLED
