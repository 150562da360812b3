"""Reads `terms.toml`: words that say nothing, courtesies, how requests begin, and what people's words stand for."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tools.discovery.tokenizer import plain_words, stem

A_PLACE = "aplace"
"""The word that every place becomes."""

TELLING_NUMBERS = frozenset({"911", "800", "900"})
"""Numbers that say what is meant. Any other could be another."""

TERMS_FILE = Path(__file__).parent / "terms.toml"


def words(text: str) -> list[str]:
    """Split a name or sentence into words without accents, case, common endings and words that say nothing."""
    return stems_of(plain_words(text))


def stems_of(plain: Sequence[str]) -> list[str]:
    """Return the words of a text that say something, without common endings; one word for every place."""
    telling = (word for word in plain if word not in idle_words() and (not word.isdigit() or word in TELLING_NUMBERS))
    return [A_PLACE if word in places() else stem(word) for word in telling]


@cache
def places() -> frozenset[str]:
    """Return names of places."""
    return frozenset(plain_words(_file()["places"]["names"]))


@cache
def idle_words() -> frozenset[str]:
    """Return words that do not help to find an operation."""
    return frozenset(word for text in _file()["idle"].values() for word in plain_words(text))


@cache
def courtesies() -> Mapping[str, None]:
    """Return what people say before they ask: greetings, *please*, *can you*; longest first."""
    found = {" ".join(plain_words(one)) for text in _file()["courtesy"].values() for one in text.split(",")}
    return dict.fromkeys(sorted(found - {""}, key=lambda one: (-len(one), one)))


@cache
def openings() -> Mapping[str, frozenset[str]]:
    """Return the verbs of operations by the words that a request for them begins with."""
    table: dict[str, str] = _file()["openings"]
    return {
        " ".join(plain_words(opening)): frozenset(verbs.split())
        for verbs, listed in table.items()
        for opening in listed.split(",")
    }


@cache
def removal_signs() -> tuple[str, ...]:
    """Return words that show, wherever they are, that something is to end. One that ends in `*` may go on."""
    return tuple(sorted({_plain_term(one) for one in _file()["signs"]["removes"].split(",")}))


@cache
def verbs(kind: str) -> frozenset[str]:
    """Return the verbs of operations that read, bring or end something, or that are ambiguous as a first word."""
    return frozenset(_file()["verbs"][kind].split())


@cache
def particle_verbs() -> tuple[frozenset[str], frozenset[str]]:
    """Return the verbs that with a particle behind them ask for an end, and those particles."""
    table: dict[str, str] = _file()["particles"]
    return frozenset(table["verbs"].split()), frozenset(table["particles"].split())


@cache
def prepositions() -> frozenset[str]:
    """Return words that end the object of a request's verb: *send a fax | to the court*."""
    return frozenset(word for text in _file()["prepositions"].values() for word in plain_words(text))


def meanings_in(said: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the terms among the words of a text, with the words that they stand for."""
    beginnings, longest = _terms_by_beginning()
    stems = [stem(word) for word in said]
    for place, (word, stemmed) in enumerate(zip(said, stems, strict=True)):
        exact = [*beginnings.get(word, ()), *(beginnings.get(stemmed, ()) if stemmed != word else ())]
        longer = [one for end in range(2, min(len(word), longest) + 1) for one in beginnings.get(word[:end] + "*", ())]
        for term, meaning in dict([*exact, *longer]).items():
            rest = term.split(" ")[1:]
            if rest == list(said[place + 1 : place + 1 + len(rest)]) or _goes_on(rest, said[place + 1 :]):
                yield term, meaning


def _goes_on(rest: list[str], said: Sequence[str]) -> bool:
    """Return True if the words after a term's first are said, the last of them maybe longer."""
    if not rest or not rest[-1].endswith("*") or len(said) < len(rest):
        return False
    return list(said[: len(rest) - 1]) == rest[:-1] and said[len(rest) - 1].startswith(rest[-1][:-1])


@cache
def _terms_by_beginning() -> tuple[Mapping[str, list[tuple[str, tuple[str, ...]]]], int]:
    """Return the terms by their first word, and the length of the longest that may go on."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    groups: dict[str, dict[str, str]] = _file()["terms"]
    for group in groups.values():
        for written, meaning in group.items():
            term = _plain_term(written)
            found[term.split(" ")[0]].append((term, tuple(words(meaning))))
    return found, max(len(term) for term in found)


def has_term(term: str, text: str) -> bool:
    """Return True if a text, with a blank before and after it, has the words of a term."""
    return f" {term[:-1]}" in text if term.endswith("*") else f" {term} " in text


def _plain_term(written: str) -> str:
    term = written.strip()
    return " ".join(plain_words(term.removesuffix("*"))) + ("*" if term.endswith("*") else "")


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(TERMS_FILE.read_text(encoding="utf-8"))
