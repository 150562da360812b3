"""Ranks operations by how well they fit a request.

Three things are added up: BM25 over the fields of an operation (name, synonyms, description, utterances, toolset,
arguments), which count by their weight whatever their length; how similar the most similar utterance is; and how much
of the operation's name the request has. A word that nothing has counts as the most similar one that does. Providers
and verbs that the request names come first.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from tools.discovery.confidence import FEW_WORDS, answer_for_gap, is_beside, is_doubtful, is_sure
from tools.discovery.entries import Entry, Findings, Match
from tools.discovery.lexicon import verbs, words
from tools.discovery.request import ASIDE, Direction, SearchRequest, direction_asked, read_request
from tools.discovery.tokenizer import FEATURES, mark_features, trigrams

SATURATION = 3.0
RESEMBLES = 0.6
"""Share of three-letter runs that a misspelled word must have in common with a known one."""

WEIGHTS: Mapping[str, float] = {
    "name": 2.5,
    "synonyms": 2.0,
    "description": 1.4,
    "toolset": 0.4,
    "arguments": 0.1,
}
UTTERED = 5.0
"""Weight of a word that all utterances of an operation have; one that a single utterance has weighs a third."""

PAIR = 0.3
"""Weight of two neighbouring words beside that of each."""

UTTERANCE = 1.0
"""Weight of the most similar utterance."""

NAMED = 1.5
"""Weight of the words of the name that the request has."""

COMMON = 1.15
"""Factor for everyday operations, which decides where the words do not."""

CONTRARY = 0.5
"""Factor for how similar a wish is that nothing fulfils, where the request asks for the contrary: *new queue* and
*delete a queue*.
"""

NAMED_PROVIDER = 3.0

MEANT_VERB = 1.5
"""Factor for operations whose verb the request's first words ask for: list, create, update…"""

DOUBTFUL = 0.5
"""Factor for what does something else than the request asks for."""

NAMED_WHOLE = 0.8
"""How much of the nouns of its name a request has that names an operation."""

UNNAMED = 0.1
"""How much less counts what has nouns in its name that the request does not have."""

SAID_VERB = 1.3
"""Factor for operations whose own verb is the request's first word."""


class Index:
    """Finds entries by words."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self._providers = frozenset(entry.provider for entry in self.entries if entry.provider)
        self._nouns = [frozenset(_nouns(entry)) for entry in self.entries]
        said = [[_with_pairs(one) for one in entry.utterances] for entry in self.entries]
        self._postings: dict[str, dict[int, float]] = defaultdict(dict)
        for number, (entry, uttered) in enumerate(zip(self.entries, said, strict=True)):
            for word, weight in _weigh(entry, uttered).items():
                self._postings[word][number] = weight * (SATURATION + 1) / (weight + SATURATION)
        total = len(self.entries)
        self._rarity = {
            word: math.log(1 + (total - len(rows) + 0.5) / (len(rows) + 0.5)) for word, rows in self._postings.items()
        }
        gaps = {number for number, entry in enumerate(self.entries) if entry.answer is not None}
        self._apart = {word for word, rows in self._postings.items() if " " not in word and gaps.issuperset(rows)}
        """The words that are only said for what nothing does."""

        self._rarest = max(self._rarity.values(), default=0.0)
        self._weight_of_name = [sum(self._rarity.get(word, 0.0) for word in nouns) for nouns in self._nouns]
        self._speakers: list[tuple[int, int, Direction | None]] = []
        """The entry of each utterance, the number of its words, and for what nothing does: what it asks for."""

        self._uttered: dict[str, list[tuple[int, float]]] = defaultdict(list)
        """The utterances that have a word, with its share of each."""

        for number, uttered in enumerate(said):
            entry = self.entries[number]
            for text, utterance in zip(entry.utterances, uttered, strict=True):
                if entry.answer is None:
                    self._index_utterance(number, frozenset(utterance), None)
                elif len(utterance) > 1 or self._apart.issuperset(utterance):
                    self._index_utterance(number, frozenset(utterance), direction_asked(text, self._providers))
        self._resembling: dict[str, set[str]] = defaultdict(set)
        for word in self._postings:
            for run in trigrams(word) if " " not in word else ():
                self._resembling[run].add(word)

    def search(self, text: str, limit: int = 5) -> list[Entry]:
        """Return the operations and tools that fit best, best first; none where no word fits."""
        return self.find(text).entries[:limit]

    def find(self, text: str, provider: str | None = None) -> Findings:
        """Return what fits a request, of one provider or all, best first, or what to say where nothing does.

        The best read comes first where nothing fits, or where what fits best is guarded and not sure.
        """
        matches = self.rank(text, provider)
        offered = [match for match in matches if match.entry.answer is None]
        answer = answer_for_gap(matches, offered)
        sure = answer is None and bool(offered) and is_sure(offered[0], matches)
        if not sure:
            read = next((match for match in offered if not match.entry.is_guarded), None)
            offered.sort(key=lambda match: match is not read)
            if read is None and (answer is not None or (offered and is_beside(offered[0]))):
                offered = []
        return Findings([match.entry for match in offered], answer, sure)

    def rank(self, text: str, provider: str | None = None) -> list[Match]:
        """Return everything of one provider or all that fits at all, best first."""
        request = read_request(text, self._providers)
        named = {provider} if provider else self._providers & set(request.words)
        known = self._known_words(request)
        likeness = self._likeness(known, request.direction)
        length = math.sqrt(sum((share * self._rarity[word]) ** 2 for word, share in known.items())) or 1.0
        scores: dict[int, float] = defaultdict(float)
        had: dict[int, float] = defaultdict(float)
        asked = 0.0
        for word, share in known.items():
            said = 0.0 if " " in word or word in self._providers else share * self._rarity[word]
            for number, weight in self._postings[word].items():
                scores[number] += share * self._rarity[word] * weight
                had[number] += said
            asked += said
        said_words = self._weigh_said(request.said)
        object_words = {word: weighed for word, weighed in said_words.items() if word in request.object}
        apart = [word for word, share in known.items() if share >= ASIDE and word in self._apart]
        matches: list[Match] = []
        for number, score in scores.items():
            entry = self.entries[number]
            if (provider or entry.answer) and entry.provider and named and entry.provider not in named:
                continue
            in_name = self._share_of_name(number, known)
            whole = score + UTTERANCE * likeness[number] + NAMED * in_name * self._weight_of_name[number]
            like = likeness[number] / length
            elsewhere = bool(named) and entry.is_guarded and entry.provider not in named
            doubtful = elsewhere or is_doubtful(entry, request, like, in_name)
            factor = _factor(entry, request, named, in_name) * (DOUBTFUL if doubtful else 1.0)
            is_meant = entry.verb in request.verbs or _says_verb(entry, request)
            is_named = in_name >= NAMED_WHOLE and is_meant and self._has_all(number, known)
            is_apart = entry.answer is not None and any(number in self._postings[word] for word in apart)
            lacking = 1 - had[number] / asked if asked else 0.0
            matches.append(
                Match(
                    entry=entry,
                    score=whole * factor,
                    likeness=like,
                    named=in_name,
                    is_meant=is_meant,
                    is_named=is_named,
                    is_apart=is_apart,
                    lacking=lacking,
                    is_doubtful=doubtful,
                    had=_share_had(number, said_words, request.names),
                    object_had=_share_had(number, object_words, request.names),
                    is_short_request=request.length <= FEW_WORDS,
                )
            )
        return sorted(matches, key=lambda match: (-match.score, match.entry.name))

    def _known_words(self, request: SearchRequest) -> dict[str, float]:
        """Return the words of a request as the index has them, with weights."""
        found: dict[str, float] = {}
        spelled: dict[str, str] = {}
        for word, share in request.words.items():
            known, similarity = self._nearest(word)
            spelled[word] = known
            if similarity:
                found[known] = max(found.get(known, 0.0), share * similarity)
        for one, other in request.pairs:
            pair = f"{spelled.get(one, one)} {spelled.get(other, other)}"
            if pair in self._postings:
                found[pair] = PAIR
        return found

    def _weigh_said(self, said: Mapping[str, frozenset[str]]) -> dict[str, tuple[float, set[int]]]:
        """Return the weight of each word that somebody says, numbers left out, and the entries that have it."""
        found: dict[str, tuple[float, set[int]]] = {}
        for word, meant in said.items():
            if word.isalpha() and word not in FEATURES:
                known = [one for one in (self._nearest(other)[0] for other in meant) if one in self._postings]
                weight = max((self._rarity[one] for one in known), default=self._rarest)
                found[word] = (weight, {number for one in known for number in self._postings[one]})
        return found

    def _nearest(self, word: str) -> tuple[str, float]:
        """Return the word itself or the most similar known word, and the similarity; 0 where nothing is similar."""
        if word in self._postings:
            return word, 1.0
        if len(word) < 4 or word.isdigit():
            return word, 0.0
        runs = trigrams(word)
        shared = Counter(known for run in runs for known in self._resembling.get(run, ()))
        best = max(shared, key=lambda known: (2 * shared[known] / (len(runs) + len(known) + 1), known), default=word)
        similarity = 2 * shared[best] / (len(runs) + len(best) + 1)
        return (best, similarity) if similarity >= RESEMBLES else (word, 0.0)

    def _likeness(self, known: Mapping[str, float], direction: Direction | None) -> dict[int, float]:
        """Return how similar the most similar utterance of each entry is, in units of the request's length."""
        similar: dict[int, float] = defaultdict(float)
        shared: dict[int, int] = defaultdict(int)
        for word, share in known.items():
            for utterance, weight in self._uttered.get(word, ()):
                similar[utterance] += share * self._rarity[word] * weight
                shared[utterance] += 1
        best: dict[int, float] = defaultdict(float)
        for utterance, similarity in similar.items():
            speaker, length, asks_for = self._speakers[utterance]
            if asks_for and direction and asks_for != direction:
                similarity *= CONTRARY
            if shared[utterance] >= min(length, 2):
                best[speaker] = max(best[speaker], similarity)
        return best

    def _index_utterance(self, speaker: int, said: frozenset[str], direction: Direction | None) -> None:
        length = math.sqrt(sum(self._rarity[word] ** 2 for word in said)) or 1.0
        for word in said:
            self._uttered[word].append((len(self._speakers), self._rarity[word] / length))
        self._speakers.append((speaker, sum(" " not in word for word in said), direction))

    def _share_of_name(self, number: int, known: Mapping[str, float]) -> float:
        """Return how much of the nouns in an entry's name a request has, from 0 to 1."""
        nouns = self._nouns[number]
        whole = self._weight_of_name[number]
        return sum(self._rarity[word] * known[word] for word in nouns if word in known) / whole if whole else 0.0

    def _has_all(self, number: int, known: Mapping[str, float]) -> bool:
        """Return True if an entry has every word that a request says itself."""
        return all(number in self._postings[word] for word, share in known.items() if share >= 1 and " " not in word)


def _share_had(number: int, words: Mapping[str, tuple[float, set[int]]], names: frozenset[str]) -> float:
    """Return how much of some weighed words an entry has, from 0 to 1; 1 where none count.

    A name that the entry does not have does not count.
    """
    whole = had = 0.0
    for word, (weight, entries) in words.items():
        has = number in entries
        whole += weight if has or word not in names else 0.0
        had += weight if has else 0.0
    return had / whole if whole else 1.0


def _factor(entry: Entry, request: SearchRequest, named: Collection[str], in_name: float) -> float:
    """Return what an entry's words count times, by the provider and the verb that a request names."""
    factor = COMMON if entry.is_common else 1.0
    if entry.provider in named:
        factor *= NAMED_PROVIDER
    says_verb = _says_verb(entry, request)
    if says_verb or entry.verb in request.verbs:
        factor *= MEANT_VERB
    if entry.answer is None:
        factor *= 1.0 - UNNAMED * (1.0 - in_name)
    if says_verb:
        factor *= SAID_VERB
    return factor


def _says_verb(entry: Entry, request: SearchRequest) -> bool:
    """Return True if a request's first word is the verb of an entry."""
    return entry.verb == request.first and entry.verb not in verbs("ambiguous")


def _weigh(entry: Entry, uttered: Iterable[list[str]]) -> dict[str, float]:
    """Return the words of an entry with their weights."""
    counted: dict[str, float] = defaultdict(float)
    for name, weight in WEIGHTS.items():
        for word in dict.fromkeys(words(entry.texts.get(name, ""))):
            counted[word] += weight
    for word, times in Counter(word for said in uttered for word in dict.fromkeys(said)).items():
        counted[word] += UTTERED * times / (times + 2)
    return counted


def _with_pairs(utterance: str) -> list[str]:
    """Return the words of an utterance, and each two that are neighbours."""
    said = words(mark_features(utterance))
    return [*said, *(f"{one} {other}" for one, other in pairwise(said))]


def _nouns(entry: Entry) -> list[str]:
    """Return the words of an entry's name without provider and verb."""
    named = entry.texts.get("name", "").replace("_", " ").split()
    return words(" ".join(named[1:])) or words(" ".join(named))
