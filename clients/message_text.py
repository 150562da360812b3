"""Field types of what is texted or spoken: a text that shows nothing, or that no medium can carry, is refused."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationInfo

from clients.fields import RECORDED
from clients.segments import segments

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

MessageText = Annotated[str, Visible, FitsTextMessage]
"""What a text message says."""
