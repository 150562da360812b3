"""How many SMS segments a text takes, and the field types that refuse what no medium can carry.

The alphabets are those of 3GPP TS 23.038, the room of a segment follows from its 140 octets and from the header that
joins several (3GPP TS 23.040). No national shift tables. What a carrier bills may differ, since gateways are free to
replace characters before they send, so a count is an estimate until the provider says how many there were.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import AfterValidator, ValidationInfo

from clients.fields import RECORDED

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


MOST_SEGMENTS: Final = 255
"""The header that joins the segments of a text counts them in one octet (3GPP TS 23.040, 9.2.3.24.1)."""

_UNSEEN: Final = ("C", "Z", "Mn", "Me")
"""Unicode categories that show nothing by themselves: controls and formats, blanks, marks without a letter."""

_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Hangul fillers, Khmer inherent vowels and the braille blank: letters and symbols that show nothing."""


def is_blank(text: str) -> bool:
    """Return True for a text of which nobody sees anything."""
    return all(char in _BLANK_LETTERS or unicodedata.category(char).startswith(_UNSEEN) for char in text)


def _required_visible(text: str, info: ValidationInfo) -> str:
    if info.context != RECORDED and is_blank(text):
        raise ValueError("it shows nothing: give a text with at least one visible character")
    return text


def _required_within_segments(text: str, info: ValidationInfo) -> str:
    if info.context != RECORDED and (count := segments(text).count) > MOST_SEGMENTS:
        raise ValueError(f"it takes {count} segments, and a text message has at most {MOST_SEGMENTS}: make it shorter")
    return text


Visible = AfterValidator(_required_visible)
"""Refuses a text of which nobody would see or hear anything."""

FitsTextMessage = AfterValidator(_required_within_segments)
"""Refuses a text of more segments than a text message can have."""
