"""What is searched, and what a search finds."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An operation or tool in the index."""

    name: str
    provider: str | None
    texts: Mapping[str, str]
    """Text by field of `WEIGHTS`."""

    utterances: tuple[str, ...] = ()
    verb: str = ""
    """The first word of its name."""

    is_common: bool = False
    is_guarded: bool = False
    """True for anything but a plain read."""

    takes_away: bool = False
    """True if it removes, gives up or reroutes something."""

    answer: str | None = None
    """For what no operation does: a sentence that says so."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that fits, and how well."""

    entry: Entry
    score: float
    likeness: float
    """How similar its most similar utterance is, from 0 to 1."""

    named: float
    """How much of the nouns in its name the request has, from 0 to 1."""

    is_meant: bool
    """True if the request asks for its verb."""

    is_named: bool
    """True if the request has its verb and its nouns, and no word that it has not."""

    is_apart: bool
    """True for what no operation does, where the request has a word that is said of nothing else."""

    lacking: float
    """How much of what the request says it has no word for, from 0 to 1."""

    is_doubtful: bool
    """True if it does something else than the request asks for, or to something else."""

    had: float
    """How much of the request it has words for, from 0 to 1: words that nothing has count, names do not."""

    object_had: float
    """How much it has of the words that follow the request's verb, from 0 to 1; 1 where none follow."""

    is_short_request: bool
    """True if the request has so few words that each belongs to what is asked for."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What fits a request."""

    entries: list[Entry]
    """Operations and tools, best first."""

    answer: str | None
    """For what no operation does: a sentence that says so."""

    is_sure: bool
    """False where nothing fits well."""
