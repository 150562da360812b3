"""Reads `terms.toml`: words that say nothing, courtesies, how requests begin, and what people's words stand for."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.discovery.tokenizer import plain_words, stem

TERMS_FILE = Path(__file__).parent / "terms.toml"


def words(text: str) -> list[str]:
    """Split a name or sentence into words without accents, case, common endings and words that say nothing."""
    return [stem(word) for word in plain_words(text) if word not in idle_words()]


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
def signs(kind: str) -> tuple[str, ...]:
    """Return words that show, wherever they are, that something is to be removed or changed."""
    found = {" ".join(plain_words(one.rstrip("* "))) + "*" * one.endswith("*") for one in _file()["signs"][kind].split(",")}
    return tuple(sorted(found))


@cache
def meanings() -> Mapping[str, tuple[str, ...]]:
    """Return the words that a term stands for. A term that ends in `*` may go on."""
    groups: dict[str, dict[str, str]] = _file()["terms"]
    return {
        " ".join(plain_words(term.removesuffix("*"))) + ("*" if term.endswith("*") else ""): tuple(words(meaning))
        for group in groups.values()
        for term, meaning in group.items()
    }


def has_term(term: str, text: str) -> bool:
    """Return True if a text, with a blank before and after it, has the words of a term."""
    return f" {term[:-1]}" in text if term.endswith("*") else f" {term} " in text


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(TERMS_FILE.read_text(encoding="utf-8"))
