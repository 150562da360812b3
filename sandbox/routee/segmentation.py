"""What a text costs in parts, and what transcoding would make of it: the `bodyAnalysis` of several answers."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sandbox.frame.wire import Wire
from sandbox.segments import count_segments, is_gsm

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
        """Return the parts that are sent and paid; what fits one unicode part is never transcoded (documented)."""
        return self.transcoded_parts if transcode and self.transcoded is not None and self.parts > 1 else self.parts

    def to_wire(self) -> Wire:
        """Return the analysis as `bodyAnalysis`; `transcode` is there only if the text can be transcoded."""
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
    unsupported = tuple(dict.fromkeys(character for character in text if not is_gsm(character)))
    transcoded = _transcode(text) if unsupported else None
    transcoded_parts = count_segments(transcoded) if transcoded is not None else 0
    return Analysis(len(text), count_segments(text), unsupported, transcoded, transcoded_parts)


def _transcode(text: str) -> str | None:
    """Return the text in GSM characters, or None if that cannot be done; how Routee maps letters is inferred."""
    bare = "".join(
        letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter)
    ).translate(_GREEK)
    return bare if all(map(is_gsm, bare)) else None
