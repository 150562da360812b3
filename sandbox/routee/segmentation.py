"""What a text costs in parts, and what transcoding would make of it: the `bodyAnalysis` of several answers."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sandbox.routee.wire import Wire

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

# Greek letters as they look in the GSM alphabet (3GPP TS 23.038): capitals that equal Latin ones are written so.
_GREEK = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγδεζηθικλμνξοπρσςτυφχψω", "ABEZHIKMNOPTYXABΓΔEZHΘIKΛMNΞOΠPΣΣTYΦXΨΩ")


@dataclass(frozen=True)
class Analysis:
    """The parts that a text takes, as it is and transcoded."""

    characters: int
    parts: int
    unsupported: tuple[str, ...]
    transcoded: str | None
    transcoded_parts: int

    def parts_sent(self, transcode: bool) -> int:
        """Parts that are sent and paid; a text that fits one unicode part is never transcoded (documented)."""
        return self.transcoded_parts if transcode and self.transcoded is not None and self.parts > 1 else self.parts

    def to_wire(self) -> Wire:
        """The analysis as `bodyAnalysis`; `transcode` is there only if the text can be transcoded."""
        wire: Wire = {
            "characters": self.characters,
            "parts": self.parts,
            "unicode": bool(self.unsupported),
            "unsupportedGSMCharacters": list(self.unsupported),
        }
        if self.transcoded is not None:
            wire["transcode"] = {"message": self.transcoded, "parts": self.transcoded_parts}
        return wire


@lru_cache(maxsize=512)
def analyze(text: str) -> Analysis:
    """Count characters and parts of a text and try to transcode it."""
    unsupported = tuple(dict.fromkeys(character for character in text if not _is_gsm(character)))
    transcoded = _transcode(text) if unsupported else None
    return Analysis(
        characters=len(text),
        parts=_parts(text),
        unsupported=unsupported,
        transcoded=transcoded,
        transcoded_parts=_parts(transcoded) if transcoded is not None else 0,
    )


def _is_gsm(character: str) -> bool:
    return character in GSM or character in GSM_EXTENSION


def _parts(text: str) -> int:
    if all(_is_gsm(character) for character in text):
        return _fill([2 if character in GSM_EXTENSION else 1 for character in text], 160, 153)
    return _fill([len(character.encode("utf-16-be")) // 2 for character in text], 70, 67)


def _fill(widths: list[int], single: int, joined: int) -> int:
    """Parts for characters of these widths; a character is never divided between two parts."""
    if sum(widths) <= single:
        return 1
    parts, room = 1, joined
    for width in widths:
        if width > room:
            parts, room = parts + 1, joined
        room -= width
    return parts


def _transcode(text: str) -> str | None:
    """The text in GSM characters, or None if that cannot be done; how Routee maps letters is inferred."""
    bare = "".join(
        letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter)
    ).translate(_GREEK)
    return bare if all(_is_gsm(character) for character in bare) else None
