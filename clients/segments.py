"""How many SMS segments a text takes.

The alphabets are those of 3GPP TS 23.038, the room of a segment follows from its 140 octets and from the header that
joins several (3GPP TS 23.040). No national shift tables. What a carrier bills may differ, since gateways are free to
replace characters before they send, so a count is an estimate until the provider says how many there were.
"""

from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Sent as an escape and a character, so that each takes the room of two."""

_ALPHABET = _BASIC | _EXTENSION


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of one text, and what decided their number."""

    count: int

    encoding: Literal["GSM-7", "UCS-2"]
    """A segment holds 160 GSM-7 characters or 70 UCS-2 units; 153 or 67 when there are several."""

    outside: tuple[str, ...] = ()
    """The characters, each once, that are not in the GSM-7 alphabet and so make the text UCS-2."""


def segments(text: str) -> Segments:
    """Count the segments of a text. An empty text takes one."""
    outside = tuple(dict.fromkeys(character for character in text if character not in _ALPHABET))
    if outside:
        return Segments(_filled([2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67), "UCS-2", outside)
    return Segments(_filled([2 if character in _EXTENSION else 1 for character in text], 160, 153), "GSM-7")


def _filled(widths: list[int], alone: int, joined: int) -> int:
    """Segments for characters of these widths, none of which is split over two segments."""
    if sum(widths) <= alone:
        return 1
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return count
