"""Breaks names, sentences and people's requests into words that can be compared."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

TERMS_FILE = Path(__file__).parent / "terms.toml"
_NUMBER = re.compile(r"\+?\(?\d[\d\s().-]{5,}\d")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


A_NUMBER = 0.6
"""Weight of the word *number* in a request that has a telephone number in it."""


def words(text: str) -> list[str]:
    """Split a name or sentence into words, without accents, case and common endings."""
    return [stem(word) for word in _plain(text) if word not in _idle()]


def request_words(request: str) -> dict[str, float]:
    """Return the words of a request and the words they stand for, with weights; a translation weighs less."""
    text = _NUMBER.sub(" ", request)
    plain = list(_plain(text))
    found: dict[str, float] = {stem("number"): A_NUMBER} if text != request else {}
    for word in plain:
        if word not in _idle():
            found[stem(word)] = 1.0
    for phrase, meaning in _meanings(" ".join(plain)):
        share = 1.0 if phrase not in found else 0.8
        for word in meaning:
            found[word] = max(found.get(word, 0), share)
    return found


def request_verbs(request: str) -> frozenset[str]:
    """Return the verbs of operations that a request's first words ask for: `list` and `get` for a question."""
    plain = list(_plain(request))
    for length in (3, 2, 1):
        verbs = _openings().get(" ".join(plain[:length]))
        if verbs is not None:
            asks_for_many = any(word.endswith("s") and word not in _idle() for word in plain[length : length + 3])
            return verbs - {"get"} if asks_for_many and "list" in verbs else verbs
    return frozenset()


def stem(word: str) -> str:
    """Strip a word's English ending, so that *forwarding* finds *forward*, and *routes* finds *route*."""
    word = word.partition("'")[0]
    for ending, left, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= left:
            return word[: len(word) - len(ending)] + instead
    return word


_ENDINGS = (
    ("ations", 3, "at"),
    ("ation", 3, "at"),
    ("ies", 2, "y"),
    ("sses", 2, "ss"),
    ("ches", 2, "ch"),
    ("xes", 1, "x"),
    ("ings", 3, ""),
    ("ing", 3, ""),
    ("ed", 3, ""),
    ("ss", 1, "ss"),
    ("us", 2, "us"),
    ("is", 2, "is"),
    ("es", 3, ""),
    ("s", 2, ""),
    ("e", 3, ""),
)


def trigrams(word: str) -> frozenset[str]:
    """Return the runs of three letters by which a misspelled word is still similar to the right one."""
    padded = f"  {word} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def _plain(text: str) -> Iterator[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    yield from _WORD.findall(plain.replace("_", " "))


def _meanings(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the phrases of a text with what they stand for. A term that ends in `*` matches longer words too."""
    padded = f" {text} "
    for pattern, meaning in _terms().items():
        if pattern.endswith("*"):
            if f" {pattern[:-1]}" in padded:
                yield pattern[:-1], meaning
        elif f" {pattern} " in padded:
            yield pattern, meaning


@cache
def _idle() -> frozenset[str]:
    """Return words that do not help to find an operation."""
    return frozenset(str(_file()["idle"]).split())


@cache
def _openings() -> Mapping[str, frozenset[str]]:
    table: dict[str, str] = _file()["openings"]
    return {
        " ".join(_plain(opening)): frozenset(verbs.split())
        for verbs, listed in table.items()
        for opening in listed.split(",")
    }


@cache
def _terms() -> Mapping[str, list[str]]:
    groups: dict[str, dict[str, str]] = _file()["terms"]
    return {
        " ".join(_plain(term.removesuffix("*"))) + ("*" if term.endswith("*") else ""): words(meaning)
        for group in groups.values()
        for term, meaning in group.items()
    }


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(TERMS_FILE.read_text(encoding="utf-8"))
