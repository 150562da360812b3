"""Ways to write a number, an address or a link so that it is not recognised, and back.

Nothing here judges. A text is read in every way in which an assistant that wants to help would read it: figures of
other scripts, numbers in words, letters in place of figures, letters of a keypad, look-alike letters, base64 and its
like.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

_DEPTH: Final = 3
"""How many codings may lie inside each other."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[\s:]?){7,}")

_UNITS: Final[Mapping[str, str]] = {
    word: str(value)
    for words in (
        "zero one two three four five six seven eight nine",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "null eins zwei drei vier funf sechs sieben acht neun",
        "nul un deux trois quatre cinq six sept huit neuf",
        "zero uno due tre quattro cinque sei sette otto nove",
        "zero um dois tres quatro cinco seis sete oito nove",
        "nul een twee drie vier vijf zes zeven acht negen",
        "sifir bir iki uc dort bes alti yedi sekiz dokuz",
        "zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec",
        "μηδεν ενα δυο τρια τεσσερα πεντε εξι επτα οκτω εννεα",
        "ноль один два три четыре пять шесть семь восемь девять",
    )
    for value, word in enumerate(words.split())
} | {
    "oh": "0",
    "nought": "0",
    "niner": "9",
    "zwo": "2",
    "fuenf": "5",
    "εφτα": "7",
    "οχτω": "8",
    "εννια": "9",
    "нуль": "0",
}

_TEENS: Final = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MORE: Final[Mapping[str, str]] = {
    **{word: str(value) for value, word in enumerate(_TEENS, start=10)},
    **{word: str(10 * value) for value, word in enumerate(_TENS, start=2)},
}

_ENGLISH: Final = "zero|oh|one|two|three|four|five|six|seven|eight|nine"
_TENS_AND_UNIT = re.compile(rf"\b({'|'.join(_TENS)})[\s\-]{{1,3}}({_ENGLISH})\b")
_TIMES = re.compile(rf"\b(double|triple)[\s\-]{{1,3}}({_ENGLISH}|\d)\b")
_HUNDRED = re.compile(rf"\b({_ENGLISH}|\d)[\s\-]{{1,3}}hundred\b")
_LETTERS = re.compile(r"[^\W\d_]+")
_SINGLE_SIGNS = str.maketrans("〇零一二三四五六七八九幺两공영일이삼사오육칠팔구", "001234567891200123456789")

_LIKE: Final[Mapping[str, str]] = {
    "0": "OoQD\u03bf\u039f\u043e\u041e",
    "1": "IiLl|!\u0456\u0406\u03b9\u0399",
    "2": "Zz",
    "5": "Ss\u0455\u0405",
    "8": "B",
}
"""Latin, Greek and Cyrillic letters that are taken for figures."""

_LIKE_FIGURES = str.maketrans({letter: figure for figure, letters in _LIKE.items() for letter in letters})
_FIGURE_OR_LIKE = f"[0-9{''.join(_LIKE.values())}]"
_FIGURES_AND_LIKE = re.compile(rf"(?<![^\W_]){_FIGURE_OR_LIKE}*[0-9]{_FIGURE_OR_LIKE}*(?![^\W_])")

_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_KEYPAD_NUMBER = re.compile(r"\d[\d\s().\-]{0,20}[A-Z][A-Z0-9\s().\-]{2,20}")

_LATIN = str.maketrans(
    "абвгдеёзикмнорстухьіјѕһԁԛԝαβγδεηικνορτυχωϲı",
    "a6brgee3nkmhopctyxbijshdqwabydenikvoptuxwci",
)
"""Small letters of other alphabets as the Latin ones that they look like."""

_DOT = re.compile(
    r"\s{0,3}[\[({]\s{0,3}(?:dot|punto|punkt|point|\.)\s{0,3}[\])}]\s{0,3}|\s{1,3}(?:dot|punto|punkt)\s{1,3}"
)
_AT = re.compile(r"\s{0,3}[\[({]\s{0,3}(?:at|arroba|@)\s{0,3}[\])}]\s{0,3}|\s{1,3}(?:at|arroba)\s{1,3}")
_FULL_STOPS = str.maketrans({"\u3002": ".", "\uff61": "."})


def decoded_variants(text: str) -> Iterator[str]:
    """Yield the text itself and every text that is encoded in it."""
    waiting, seen = [(text, 0)], {text}
    while waiting:
        current, depth = waiting.pop()
        yield current
        for inner in _decoded(current) if depth < _DEPTH else ():
            if inner not in seen:
                seen.add(inner)
                waiting.append((inner, depth + 1))


def numeric_readings(text: str) -> Iterator[str]:
    """Yield the text with its numbers as plain digits, once for each way in which they may be meant."""
    figures = "".join(_figure(char) for char in unicodedata.normalize("NFKC", text))
    yield figures
    yield _spelled(fold(figures))
    yield _FIGURES_AND_LIKE.sub(lambda found: found[0].translate(_LIKE_FIGURES), figures)
    yield _KEYPAD_NUMBER.sub(lambda found: found[0].translate(_KEYPAD), figures)


def fold(text: str) -> str:
    """In small letters, of one form each, without accents."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if not unicodedata.combining(char)))


def confusable_skeleton(text: str) -> str:
    """Return what the eye sees: without accents, and with look-alike letters as Latin ones."""
    return fold(text).translate(_LATIN)


def plain_addresses(text: str) -> str:
    """Return the skeleton with addresses and links in their usual form."""
    dotted = _DOT.sub(".", confusable_skeleton(text.translate(_FULL_STOPS)).replace("hxxp", "http"))
    return _AT.sub("@", dotted)


def _figure(char: str) -> str:
    value = unicodedata.digit(char, None)
    return char if value is None else str(value)


def _spelled(text: str) -> str:
    """Numbers in words as figures; English with its tens, other languages figure by figure."""
    text = _TENS_AND_UNIT.sub(lambda found: _MORE[found[1]][0] + _UNITS[found[2]], text)
    text = _TIMES.sub(lambda found: _UNITS.get(found[2], found[2]) * (2 if found[1] == "double" else 3), text)
    text = _HUNDRED.sub(lambda found: _UNITS.get(found[1], found[1]) + "00", text)
    text = text.translate(_SINGLE_SIGNS)
    return _LETTERS.sub(lambda found: _word(found[0]), text)


def _word(word: str) -> str:
    for spelling in (word, word.translate(_LATIN)):
        if (figures := _UNITS.get(spelling) or _MORE.get(spelling)) is not None:
            return figures
    return word


def _decoded(text: str) -> Iterator[str]:
    """Yield the texts that one decoding step brings out."""
    for plain in (html.unescape(text), unquote(text, errors="replace")):
        if plain != text:
            yield plain
    for run in _BASE64.findall(text):
        yield from _printable(_from_base64(run))
    for run in _HEX.findall(text):
        yield from _printable(_from_hex(run))


def _from_base64(run: str) -> bytes:
    bare = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _from_hex(run: str) -> bytes:
    try:
        return bytes.fromhex(run.replace(":", " "))
    except ValueError:
        return b""


def _printable(raw: bytes) -> Iterator[str]:
    """Text, if the bytes are any: a word that only looks coded gives bytes that mean nothing."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if text and all(char.isprintable() or char.isspace() for char in text):
        yield text
