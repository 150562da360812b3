"""Reads what somebody asks for: the words that matter, the verbs that are meant, and whether anything is to end."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise, takewhile
from typing import Literal

from tools.discovery.lexicon import (
    courtesies,
    has_term,
    idle_words,
    meanings_in,
    openings,
    particle_verbs,
    prepositions,
    removal_signs,
    stems_of,
    verbs,
)
from tools.discovery.tokenizer import PHONE_NUMBER, mark_features, plain_words, stem

Direction = Literal["reads", "brings", "ends"]
"""What becomes of the object: it is only read, it is there afterwards, or it is gone."""

_CLAUSE = re.compile(r"[.,;:!?\n¿¡]+(?:\s|$)|\s[-\u2013\u2014]\s|[¿¡]")

_NAME = re.compile(r"(?<=[\w,] )[^\W\d_a-zß-öø-ÿα-ωά-ώ][^\W\d_]*(?:'s)?")
"""A word with a capital letter that does not begin a sentence."""

QUESTION = frozenset({"list", "get"})
"""Verbs that a question asks for which does not begin like one."""

A_NUMBER = 0.6
"""Weight of the word *number* in a request that has a telephone number in it."""

ASIDE = 0.8
"""Weight of what is said beside the clause that asks for something: why, for whom, what happened."""

ALMOST_SPELLED = 0.85
LEAST_LETTERS = 5
"""How similar a misspelled first word must be to a known one, and how long."""

MEANING = 0.7
"""Weight of what a word stands for where the word itself is known, too."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a request asks for."""

    words: Mapping[str, float]
    """Its words and what they stand for, with weights."""

    pairs: tuple[tuple[str, str], ...]
    """Its neighbouring words."""

    verbs: frozenset[str]
    """Verbs of operations that it asks for; none if it does not begin like a request."""

    first: str
    """Its first word, after courtesies and the provider's name."""

    removes: bool
    """True if it has a word for ending, removing or giving up."""

    direction: Direction | None
    """What its first words ask for; None if they do not show it."""

    said: Mapping[str, frozenset[str]]
    """Its own words without providers, each with all that it may stand for."""

    object: frozenset[str]
    """Those of them between its verb and a preposition."""

    names: frozenset[str]
    """Words with a capital letter inside a clause: many are the names of people and things."""

    length: int
    """How many words it has, those that say nothing included."""


def read_request(text: str, providers: frozenset[str]) -> SearchRequest:
    """Read a request, in any of the languages that the lexicon has."""
    said = [clause for part in _CLAUSE.split(mark_features(text)) if (clause := _without_courtesy(part))]
    clauses = [clause if clause[0] in providers else [_respell(clause[0]), *clause[1:]] for clause in said]
    asked = [_verbs_of(clause, providers) for clause in clauses]
    found: dict[str, float] = {}
    pairs: list[tuple[str, str]] = []
    for clause, meant in zip(clauses, asked, strict=True):
        share = 1.0 if meant or not any(asked) else ASIDE
        own = stems_of(clause)
        pairs += pairwise(own)
        for word, weight in _weigh(clause, own).items():
            found[word] = max(found.get(word, 0.0), share * weight)
    whole = f" {' '.join(word for clause in clauses for word in clause)} "
    meant = frozenset[str]().union(*asked)
    if not meant and text.rstrip().endswith("?"):
        asked, meant = [QUESTION], QUESTION
    direction = _direction(asked)
    return SearchRequest(
        words=found,
        pairs=tuple(dict.fromkeys(pairs)),
        verbs=meant,
        first=next((word for clause in clauses for word in clause if word not in providers), ""),
        removes=direction == "ends" or any(has_term(sign, whole) for sign in removal_signs()),
        direction=direction,
        said=dict(one for clause in clauses for one in _with_meanings(clause) if one[0] not in providers),
        object=frozenset(stems_of(_object_of(clauses, providers))),
        names=_names_in(text),
        length=sum(map(len, clauses)),
    )


def direction_asked(text: str, providers: frozenset[str]) -> Direction | None:
    """Return what the first words of a sentence ask for, rightly spelled; None if they do not show it."""
    clauses = [clause for part in _CLAUSE.split(text) if (clause := _without_courtesy(part))]
    return _direction([_verbs_of(clause, providers) for clause in clauses])


def direction_of(verb: str) -> Direction | None:
    """Return what an operation with this verb does to its object; None for one that changes it."""
    if verb in verbs("reads"):
        return "reads"
    if verb in verbs("ends"):
        return "ends"
    return "brings" if verb in verbs("brings") else None


def _direction(asked: list[frozenset[str]]) -> Direction | None:
    """Return the direction of the first clause that wishes for more than an answer; *reads* where none does."""
    of_clauses = [{direction_of(verb) for verb in verbs} for verbs in asked if verbs]
    wishes = [directions for directions in of_clauses if directions != {"reads"}]
    if not wishes:
        return "reads" if of_clauses else None
    found: list[Direction] = [one for one in ("ends", "brings") if one in wishes[0]]
    return found[0] if len(found) == 1 else None


def _object_of(clauses: list[list[str]], providers: frozenset[str]) -> list[str]:
    """Return the words between the verb of the first clause that asks for something and a preposition."""
    for clause in clauses:
        rest = [word for word in clause if word not in providers]
        if length := _opening_length(rest):
            return list(takewhile(_is_no_preposition, rest[length:]))
    return []


def _is_no_preposition(word: str) -> bool:
    return word not in prepositions()


def _with_meanings(phrase: list[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each word of a phrase that says something, with what it or a term that it belongs to stands for."""
    terms = list(meanings_in(phrase))
    for plain in phrase:
        for word in stems_of([plain]):
            meant = (meaning for term, meaning in terms if _belongs_to(plain, term))
            yield word, frozenset({word}).union(*meant)


def _belongs_to(word: str, term: str) -> bool:
    """Return True if a word is one of a term's, or goes on where the term may."""
    return any(
        word.startswith(part[:-1]) if part.endswith("*") else stem(part) == stem(word) for part in term.split(" ")
    )


def _names_in(text: str) -> frozenset[str]:
    return frozenset(stem(word) for name in _NAME.findall(text) for word in plain_words(name))


def _without_courtesy(text: str) -> list[str]:
    """Return the words of a clause without the greeting and the courtesies that it begins with."""
    left = " ".join(plain_words(text)) + " "
    while begun := next((one for one in courtesies() if left.startswith(f"{one} ")), None):
        left = left[len(begun) + 1 :]
    return left.split()


def _verbs_of(clause: list[str], providers: frozenset[str]) -> frozenset[str]:
    """Return the verbs of operations that a clause's first words ask for: `list` and `get` for a question."""
    rest = [word for word in clause if word not in providers]
    removing, particles = particle_verbs()
    if rest and rest[0] in removing and not particles.isdisjoint(rest[1:]):
        return verbs("ends")
    length = _opening_length(rest)
    if not length:
        return frozenset()
    asked = openings()[" ".join(rest[:length])]
    asks_for_many = any(word.endswith("s") and word not in idle_words() for word in rest[length : length + 3])
    return asked - {"get"} if asks_for_many and "list" in asked else asked


def _opening_length(clause: list[str]) -> int:
    """Return how many of a clause's first words are the opening of a request; 0 for none."""
    return next((length for length in (3, 2, 1) if " ".join(clause[:length]) in openings()), 0)


def _respell(word: str) -> str:
    """Return the opening that a misspelled word resembles, or the word."""
    if word in openings() or len(word) < LEAST_LETTERS:
        return word
    close = get_close_matches(word, openings(), n=1, cutoff=ALMOST_SPELLED)
    return close[0] if close and close[0][:2] == word[:2] else word


def _weigh(clause: list[str], own: list[str]) -> dict[str, float]:
    """Return the words of a clause and what they stand for, with weights; a translation weighs less."""
    found = dict.fromkeys(own, 1.0)
    if PHONE_NUMBER in clause:
        found.setdefault(stem("number"), A_NUMBER)
    for term, meaning in meanings_in(clause):
        share = MEANING if term.rstrip("*") in found else 1.0
        for word in meaning:
            found[word] = max(found.get(word, 0.0), share)
    return found
