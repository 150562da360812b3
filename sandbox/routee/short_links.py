"""Links in a text, shortened as `urlShortener` asks."""

import hashlib
import re
from dataclasses import dataclass

from sandbox.routee.wire import Wire

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class ShortenedText:
    """A text with short links, and what they stand for."""

    text: str
    urls: tuple[tuple[str, str], ...]
    validity: int

    def to_wire(self) -> Wire:
        """The object that the answer of a pool shows."""
        return {
            "urls": [{"longUrl": long, "shortUrl": short} for long, short in self.urls],
            "urlValidity": self.validity,
        }


def shorten(text: str, validity: int) -> ShortenedText:
    """Replace every link, up to the next space (documented; the form of the short link is made up)."""
    urls: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        long = match.group()
        return urls.setdefault(long, f"https://short.example/{hashlib.sha256(long.encode()).hexdigest()[:7]}")

    return ShortenedText(_LINK.sub(replace, text), tuple(urls.items()), validity)
