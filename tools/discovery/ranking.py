"""Ranks operations by how well their words fit a request: BM25 over fields of different weight, whatever their length.

The words of an operation are its name, title, synonyms, description, toolset, provider and arguments. A word that no
operation has counts as the most similar one that does. Providers that the request names come first.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tools.discovery.tokenizer import request_verbs, request_words, trigrams, words

SATURATION = 2.0
RESEMBLES = 0.6
"""Share of three-letter runs that a misspelled word must have in common with a known one."""

WEIGHTS: Mapping[str, float] = {
    "name": 2.5,
    "synonyms": 2.0,
    "description": 1.4,
    "toolset": 0.4,
    "arguments": 0.1,
}
COMMON = 1.15
"""Factor for everyday operations, which decides where the words do not."""

NAMED_PROVIDER = 3.0

MEANT_VERB = 1.6
"""Factor for operations whose verb the request's first words ask for: list, create, update…"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation or tool in the index."""

    name: str
    provider: str | None
    texts: Mapping[str, str]
    """Text by field of `WEIGHTS`."""

    verb: str = ""
    """The first word of its name."""

    is_common: bool = False


class Index:
    """Finds entries by words."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        counted = [_weigh(entry) for entry in self.entries]
        postings: dict[str, dict[int, float]] = defaultdict(dict)
        for number, one in enumerate(counted):
            for word, weight in one.items():
                postings[word][number] = weight * (SATURATION + 1) / (weight + SATURATION)
        self._postings: Mapping[str, Mapping[int, float]] = postings
        total = len(self.entries)
        self._rarity = {
            word: math.log(1 + (total - len(rows) + 0.5) / (len(rows) + 0.5)) for word, rows in postings.items()
        }
        runs: dict[str, set[str]] = defaultdict(set)
        for word in postings:
            for run in trigrams(word):
                runs[run].add(word)
        self._resembling: Mapping[str, set[str]] = runs
        self._providers = frozenset(entry.provider for entry in self.entries if entry.provider)

    def search(self, request: str, limit: int = 5) -> list[Entry]:
        """Return the entries that fit best, best first; none where no word fits."""
        scores: dict[int, float] = defaultdict(float)
        wanted = request_words(request)
        for word, share in wanted.items():
            known, likeness = self._known(word)
            for number, weight in self._postings.get(known, {}).items():
                scores[number] += share * likeness * self._rarity[known] * weight
        named = self._providers & set(wanted)
        meant = request_verbs(request)
        for number in scores:
            entry = self.entries[number]
            scores[number] *= (COMMON if entry.is_common else 1) * (NAMED_PROVIDER if entry.provider in named else 1)
            scores[number] *= MEANT_VERB if entry.verb in meant else 1
        best = sorted(scores, key=lambda number: (-scores[number], self.entries[number].name))
        return [self.entries[number] for number in best[:limit]]

    def _known(self, word: str) -> tuple[str, float]:
        """Return the word itself or the most similar known word, and the similarity."""
        if word in self._postings or len(word) < 4 or word.isdigit():
            return word, 1.0
        runs = trigrams(word)
        shared: dict[str, int] = defaultdict(int)
        for run in runs:
            for known in self._resembling.get(run, ()):
                shared[known] += 1
        best = max(shared, key=lambda known: (2 * shared[known] / (len(runs) + len(known) + 1), known), default=word)
        likeness = 2 * shared[best] / (len(runs) + len(best) + 1) if best in shared else 0.0
        return (best, likeness) if likeness >= RESEMBLES else (word, 0.0)


def _weigh(entry: Entry) -> dict[str, float]:
    counted: dict[str, float] = defaultdict(float)
    for name, weight in WEIGHTS.items():
        for word in _distinct(words(entry.texts.get(name, ""))):
            counted[word] += weight
    if entry.provider:
        counted[entry.provider] += WEIGHTS["toolset"]
    return counted


def _distinct(found: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(found)
