"""Recognises that a call was made from text from outside.

Of every outside text that a principal was shown, fingerprints are stored: its digits, addresses and links, and every
run of words. A call whose arguments repeat one of them needs approval, whatever the policy says. Disguises are decoded
first, on both sides (see `deobfuscation`). Not recognised: a number whose parts stand in different texts, a number that
must be computed, and a paraphrase.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, cast

from guard.injection.deobfuscation import confusable_skeleton, decoded_variants, numeric_readings, plain_addresses
from guard.injection.sanitize import strip_invisible

RUN_OF_WORDS = 5
RUN_OF_SIGNS = 8
"""In scripts that put no spaces between words."""

TAIL = 7
"""A telephone number is recognised by its last seven figures: with them, a local form is recognised as well."""

MARKS_AT_ONCE = 40_000
"""One answer with more than this taints every later call, rather than none."""

_WHOLE_NUMBER = 10
_LEAST_AS_NUMBER = 10**6

_RUN_OF_FIGURES = re.compile(r"[0-9](?:[\W_]{0,3}[0-9])*")
_GROUP = re.compile(r"[0-9]+")
_SHORT_NUMBER = re.compile(r"(?<![\w.,:/\-])[0-9]{4,6}(?![\w:/\-]|[.,][0-9])")
_ADDRESS = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63})*")
_HOST = re.compile(r"(?<![\w@])(?:[\w\-]{1,63}\.){1,126}[^\W\d_]{2,63}")
_LINKED_HOST = re.compile(r"\b[a-z]{2,10}://(?:[^\s/?#@]{0,200}@)?([^\s/:?#\"'<>()\[\]]+)")
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{8,}")
_SECOND_LEVEL = {"co", "com", "org", "net", "gov", "ac", "edu"}


def fingerprints_of_source(texts: Iterable[str]) -> set[str]:
    """Fingerprint outside texts, as digests from which the texts cannot be read."""
    every = (mark for text in texts for mark in _source_runs(strip_invisible(text)))
    found = {_digest(mark) for mark in islice(every, MARKS_AT_ONCE)}
    return found if next(every, None) is None else found | {FLOOD}


def fingerprints_of_arguments(texts: Iterable[str]) -> set[str]:
    """Fingerprint the arguments of a call in the same way."""
    return {_digest(trace) for text in texts for trace in _argument_runs(strip_invisible(text))} | {FLOOD}


@dataclass(frozen=True, slots=True)
class OutsideSource:
    """Where a text from outside was read."""

    tool: str
    at: datetime
    """When it was last shown; aware."""


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, and every whole number that is long enough for a telephone number."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and abs(value) >= _LEAST_AS_NUMBER:
        yield str(value)
    elif isinstance(value, dict):
        for inner in cast("dict[str, object]", value).values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from texts_in(inner)


def _source_runs(written: str) -> Iterator[str]:
    """Yield the marks of an outside text. All its digits count in a row, whatever stands between them."""
    for text in decoded_variants(written):
        for reading in numeric_readings(text):
            figures = "".join(_GROUP.findall(reading))
            yield from (f"number {figures[start : start + TAIL]}" for start in range(len(figures) - TAIL + 1))
            yield from (f"short {short}" for short in _SHORT_NUMBER.findall(reading))
        addresses = plain_addresses(text)
        yield from (f"address {address}" for address in _ADDRESS.findall(addresses))
        yield from _hosts(_ADDRESS.sub(" ", addresses))
        yield from _hosts_linked(addresses)
        yield from _runs(text)


def _argument_runs(given: str) -> Iterator[str]:
    """Yield the marks of an argument. Matches only the end of a number, so common prefixes do not match."""
    if given.isdecimal() and 4 <= len(given) < TAIL:
        yield f"short {given}"
    for text in decoded_variants(given):
        for reading in numeric_readings(text):
            for run in _RUN_OF_FIGURES.findall(reading):
                yield from (f"number {tail}" for tail in _tails(run))
        addresses = plain_addresses(text)
        yield from (f"address {address}" for address in _ADDRESS.findall(addresses))
        yield from _hosts(addresses.replace("@", " "))
        yield from _hosts_linked(addresses)
        yield from _runs(text)


def _tails(run: str) -> Iterator[str]:
    """Yield the last digits of each number that may end in a run, which may hold several."""
    figures, groups = "", _GROUP.findall(run)
    for place, group in enumerate(groups, start=1):
        figures += group
        if len(figures) >= (TAIL if place == len(groups) else _WHOLE_NUMBER):
            yield figures[-TAIL:]


def _hosts(text: str) -> Iterator[str]:
    """Yield the hosts in a text and the domains above them, up to one that somebody can own."""
    for host in _HOST.findall(text):
        labels = host.split(".")
        for start in range(len(labels) - 1):
            if start and len(labels) - start == 2 and labels[start] in _SECOND_LEVEL:
                break
            yield f"host {'.'.join(labels[start:])}"


def _hosts_linked(text: str) -> Iterator[str]:
    """Yield the hosts of links, IP addresses included."""
    yield from (f"host {host.rstrip('.')}" for host in _LINKED_HOST.findall(text))


def _runs(text: str) -> Iterator[str]:
    plain = confusable_skeleton(text)
    words = _WORD.findall(plain)
    for start in range(len(words) - RUN_OF_WORDS + 1):
        yield "words " + " ".join(words[start : start + RUN_OF_WORDS])
    for signs in _UNSPACED.findall(plain):
        for start in range(len(signs) - RUN_OF_SIGNS + 1):
            yield f"signs {signs[start : start + RUN_OF_SIGNS]}"


def _digest(mark: str) -> str:
    return hashlib.sha256(mark.encode("utf-8")).hexdigest()[:32]


FLOOD: Final = _digest("everything")
"""Stands for more outside text than can be compared: every call counts as made from it."""
