"""Links in a text, shortened as `urlShortener` asks."""

import hashlib
import re

from sandbox.frame.wire import Wire
from sandbox.routee.fields import UrlShortener

_LINK = re.compile(r"https?://\S+")


def shorten(text: str, shortener: UrlShortener | None) -> str:
    """Replace every link, up to the next space, if asked to (documented; the form of the short link is made up)."""
    return _LINK.sub(lambda match: _short(match.group()), text) if shortener else text


def list_links(text: str, shortener: UrlShortener) -> Wire:
    """Return the object that the answer of a pool shows; `text` is the text as it was given."""
    links = dict.fromkeys(_LINK.findall(text))
    urls = [{"longUrl": link, "shortUrl": _short(link)} for link in links]
    return {"urls": urls, "urlValidity": shortener.urlValidity}


def _short(link: str) -> str:
    return f"https://short.example/{hashlib.sha256(link.encode()).hexdigest()[:7]}"
