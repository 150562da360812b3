"""Marks in place of a store's version, by which no server works on it: its record was moved, or is still being copied.

The version stands in the table that every transaction that writes looks into, and every start, of older servers too. So
a mark stops also a server that runs already, at its next write. Behind its word, a mark keeps the version of the
tables: a copy may be begun by one version of Ringfence, and given up by another.
"""

from dataclasses import dataclass
from typing import Final

from guard.errors import JournalUnavailable
from server.store.schema import HEAD

_MOVED: Final = "moved"
_COPYING: Final = "copying"

_WHY: Final = {
    _MOVED: (
        "The record of this store was moved to another store, so guarded calls are refused. Set `store_url` to that "
        "one. If the copy is not finished, `ringfence store copy settings TO` goes on with it, and "
        "`ringfence store reopen settings TO` gives it up; TO is the other store."
    ),
    _COPYING: (
        "The copy of a record into this store is not finished, so guarded calls are refused. "
        "`ringfence store copy FROM settings` goes on with it; FROM is the other store."
    ),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands in place of the version of a closed store."""

    word: str
    tables: str
    """The version of its tables."""

    def __str__(self) -> str:
        """Return the mark as it is stored."""
        return f"{self.word} {self.tables}"

    @property
    def is_moved(self) -> bool:
        """True for a store that a record is copied from."""
        return self.word == _MOVED


def read_mark(version: str | None) -> Mark | None:
    """Return the mark that stands in place of a version, of whatever version of Ringfence; None for a version."""
    word, _, tables = (version or "").partition(" ")
    return Mark(word, tables) if word in _WHY else None


MOVED: Final = str(Mark(_MOVED, HEAD))
"""Of the store that a record is copied from, from before its first row is read."""

COPYING: Final = str(Mark(_COPYING, HEAD))
"""Of the store that a record is copied to, until all of it is there and verified."""


def refuse_marked(version: str | None, *, expected: str = HEAD) -> None:
    """Refuse a store that a mark closes to whoever does not expect this mark.

    Raises:
        JournalUnavailable: It is closed.
    """
    if (mark := read_mark(version)) is not None and version != expected:
        raise JournalUnavailable(_WHY[mark.word])
