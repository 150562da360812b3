"""Finds the line of each key in a TOML document, which the standard library's reader does not report."""

from collections.abc import Mapping
from typing import Final

Place = tuple[str | int, ...]
"""The path to a value: keys, and the indexes of list items."""

_BLANKS: Final = " \t\r\n"
_ENDS_BARE: Final = ",]}#\n"
_ESCAPES: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def lines_of(document: str) -> Mapping[Place, int]:
    """Return the line, counted from 1, of every key, table and list item of a valid TOML document."""
    return _Scanner(document).scan()


class _Scanner:
    """Scans a document once. It checks nothing: the document is known to be valid."""

    def __init__(self, document: str) -> None:
        self._text = document + "\n"
        self._at = 0
        self._lines: dict[Place, int] = {}
        self._last_of: dict[Place, int] = {}
        """The index of the last item of each array of tables."""

    def scan(self) -> Mapping[Place, int]:
        table: Place = ()
        self._skip()
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self._lines

    def _header(self) -> Place:
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        names = self._key()
        line = self._line()
        self._at = self._text.index("]", self._at) + (2 if is_array else 1)
        place: Place = ()
        for name in names[:-1]:
            place = self._current((*place, name), line)
        place = (*place, names[-1])
        if is_array:
            self._last_of[place] = self._last_of.get(place, -1) + 1
        return self._current(place, line)

    def _current(self, place: Place, line: int) -> Place:
        """Return the place of a table, or of the last item of an array of tables."""
        self._lines.setdefault(place, line)
        if place not in self._last_of:
            return place
        item = (*place, self._last_of[place])
        self._lines.setdefault(item, line)
        return item

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for name in self._key():
            place = (*place, name)
            self._lines.setdefault(place, line)
        self._at = self._text.index("=", self._at) + 1
        self._value(place)

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip()
            if self._text[self._at] in "\"'":
                names.append(self._string())
            else:
                start = self._at
                while self._text[self._at].isalnum() or self._text[self._at] in "-_":
                    self._at += 1
                names.append(self._text[start : self._at])
            self._skip()
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _value(self, place: Place) -> None:
        self._skip()
        match self._text[self._at]:
            case '"' | "'":
                self._string()
            case "[":
                self._list(place)
            case "{":
                self._inline_table(place)
            case _:
                while self._text[self._at] not in _ENDS_BARE:
                    self._at += 1

    def _list(self, place: Place) -> None:
        self._at += 1
        number = 0
        while not self._closes("]"):
            self._lines[*place, number] = self._line()
            self._value((*place, number))
            number += 1

    def _inline_table(self, place: Place) -> None:
        self._at += 1
        while not self._closes("}"):
            self._pair(place)

    def _closes(self, bracket: str) -> bool:
        """Go on to the next item; return True at the end."""
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _string(self) -> str:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            return self._long_string(quote)
        self._at += 1
        found = ""
        while (character := self._text[self._at]) != quote:
            if character == "\\" and quote == '"':
                self._at += 1
                character = _ESCAPES.get(self._text[self._at], "?")
            found += character
            self._at += 1
        self._at += 1
        return found

    def _long_string(self, quote: str) -> str:
        """Skip a long string, which is never a key. Up to two quotes may stand before the closing three."""
        start = self._at
        self._at += 3
        while not self._text.startswith(quote * 3, self._at):
            self._at += 2 if self._text[self._at] == "\\" and quote == '"' else 1
        while self._text.startswith(quote, self._at):
            self._at += 1
        return self._text[start : self._at]

    def _skip(self) -> None:
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                self._at = self._text.index("\n", self._at)
            elif self._text[self._at] in _BLANKS:
                self._at += 1
            else:
                return

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
