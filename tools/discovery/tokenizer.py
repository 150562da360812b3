"""Breaks names, sentences and people's requests into words that can be compared."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

_FEATURES = tuple(
    (re.compile(pattern, re.IGNORECASE), f" {word} ")
    for pattern, word in (
        (r"https?://\S+", "aurl"),
        (r"[\w.+-]+@[\w-]+\.\w[\w.]*\w", "amailaddress"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w.])", "anipblock"),
        (r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", "amacaddress"),
        (r"[$€£]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:dollars?|euros?|eur|usd|bucks|cents?|€|\$|%|percent)(?!\w)", "anamount"),
        (r"\b\w+\.(?:wav|mp3|pdf|csv)\b", "afile"),
        (r"\bact_\w+", "anactionid"),
        (r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}(?::\d\d)?\s?(?:am|pm|uhr)\b", "atime"),
        (r"\+?\(?\d[\d\s().-]{5,}\d", "aphonenumber"),
    )
)
"""What stands for itself in a request, and the word that it becomes. The first pattern that fits counts."""

_MAY_HAVE_FEATURES = re.compile(r"[\d@_./:-]")

PHONE_NUMBER = "aphonenumber"
FEATURES = frozenset(word.strip() for _, word in _FEATURES)
"""The words that stand for what could be any other."""


def mark_features(text: str) -> str:
    """Put a word for every address, amount, file and telephone number of a text, so that any other would do."""
    if _MAY_HAVE_FEATURES.search(text) is None:
        return text
    for pattern, word in _FEATURES:
        text = pattern.sub(word, text)
    return text


def plain_words(text: str) -> list[str]:
    """Split a text into words without accents and case."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _WORD.findall(plain.replace("_", " "))


@lru_cache(maxsize=16384)
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
