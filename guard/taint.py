"""Recognises a call that was made from a stranger's words.

Of every text that strangers wrote and a principal was shown, marks are kept: the telephone numbers, addresses and links
in it, and every run of five words. A call whose arguments bear one of them is asked about, whatever the policy says.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from guard.cleaning import cleaned

RUN_OF_WORDS = 5
LEAST_DIGITS = 7
MARKS_PER_TEXT = 2000

_NUMBER = re.compile(r"[+(]?\d[\d\s().\-/]{5,}\d")
_ADDRESS = re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_LINK = re.compile(r"(?:https?://)?((?:[\w\-]+\.)+[a-z]{2,}(?:/[^\s<>\"')\]]*)?)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def marks(texts: Iterable[str]) -> set[str]:
    """What is remembered of texts, as digests that tell nothing of them."""
    found: set[str] = set()
    for text in texts:
        for mark in _marks(cleaned(text)):
            found.add(hashlib.sha256(mark.encode("utf-8")).hexdigest()[:32])
            if len(found) >= MARKS_PER_TEXT:
                return found
    return found


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, object]", value).values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from texts_in(inner)


def _marks(text: str) -> Iterator[str]:
    for number in _NUMBER.findall(text):
        digits = re.sub(r"\D", "", number)
        if len(digits) >= LEAST_DIGITS:
            yield f"number {digits[-10:]}"
    for address in _ADDRESS.findall(text):
        yield f"address {address.lower()}"
    for link in _LINK.findall(text):
        yield f"link {link.lower().rstrip('/.')}"
    words = [word.lower() for word in _WORD.findall(text)]
    for start in range(len(words) - RUN_OF_WORDS + 1):
        yield "words " + " ".join(words[start : start + RUN_OF_WORDS])
