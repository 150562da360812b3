"""How many segments a text takes: GSM-7 160 or 153 each, UCS-2 70 or 67 each (3GPP TS 23.038)."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def is_gsm(character: str) -> bool:
    """Return whether a character is in the GSM-7 alphabet or its extension."""
    return character in _BASIC or character in _EXTENDED


def count_segments(text: str) -> int:
    """Return the number of segments; an empty text still takes one."""
    if all(map(is_gsm, text)):
        return _fill([2 if character in _EXTENDED else 1 for character in text], 160, 153)
    return _fill([len(character.encode("utf-16-be")) // 2 for character in text], 70, 67)


def _fill(widths: list[int], single: int, joined: int) -> int:
    """Count segments for characters of these widths; a character is never split over two segments."""
    if sum(widths) <= single:
        return 1
    segments, room = 1, joined
    for width in widths:
        if width > room:
            segments, room = segments + 1, joined
        room -= width
    return segments
