"""Text that somebody else wrote, made safe to look at."""

import unicodedata

_KEPT_CONTROLS = {"\n", "\t"}
_INVISIBLE = {"Cf", "Cc", "Co", "Cs", "Cn"}


def cleaned(text: str) -> str:
    """In composed form, without characters that cannot be seen or that reorder what is seen."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(char for char in composed if char in _KEPT_CONTROLS or not _is_invisible(char))


def made_visible(text: str) -> str:
    """On one line, with every invisible character written out, so that a person sees what is really sent."""
    return "".join(f"⟨U+{ord(char):04X}⟩" if _is_invisible(char) else char for char in text)


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE
