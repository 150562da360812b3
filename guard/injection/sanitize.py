"""Makes text from outside safe to show: strips or escapes what is invisible, reorders text or drives a terminal."""

import re
import unicodedata

_KEPT_CONTROLS = {"\n", "\t"}
_INVISIBLE = {"Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp"}

_UNSEEN_LETTERS = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors
        (0x2800, 0x2800),  # braille blank
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors, which can carry a byte each
        (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
        (0xE0100, 0xE01EF),  # variation selectors, continued
    )
    for code in range(first, last + 1)
)
"""Letters, marks and symbols that show nothing (Unicode: Default_Ignorable_Code_Point, and the braille blank)."""

_TERMINAL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erasing
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"
)
"""ECMA-48. Without its escape character the rest of a sequence would stay behind as text."""

_LINE_BREAKS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\x85": "\n"})


def strip_invisible(text: str) -> str:
    """In composed form, without what cannot be seen, reorders what is seen, or drives a terminal."""
    composed = unicodedata.normalize("NFC", _TERMINAL_SEQUENCE.sub("", text)).translate(_LINE_BREAKS)
    return "".join(char for char in composed if char in _KEPT_CONTROLS or not _is_invisible(char))


def escape_invisible(text: str) -> str:
    """On one line, with every invisible character written out, so that a person sees what is really sent."""
    if text.isascii() and text.isprintable():
        return text  # most texts of a page, which shows hundreds
    return "".join(f"⟨U+{ord(char):04X}⟩" if _is_invisible(char) else char for char in text)


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE or char in _UNSEEN_LETTERS
