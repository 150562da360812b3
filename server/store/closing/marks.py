"""Marks in place of a store's version, by which no server works on it: its record was moved, or is still being copied.

The version stands in the table that every transaction that writes looks into, and every start, of older servers too. So
a mark stops also a server that runs already, at its next write.
"""

from typing import Final

from guard.errors import JournalUnavailable
from server.store.schema import HEAD

MOVED: Final = f"moved {HEAD}"
"""Of the store that a record is copied from, from before its first row is read."""

COPYING: Final = f"copying {HEAD}"
"""Of the store that a record is copied to, until all of it is there and verified."""

_WHY: Final = {
    "moved": (
        "The record of this store was moved to another store, so guarded calls are refused. Set `store_url` to that "
        "one. If the copy is not finished, `ringfence store copy settings TO` goes on with it, and "
        "`ringfence store reopen settings TO` gives it up; TO is the other store."
    ),
    "copying": (
        "The copy of a record into this store is not finished, so guarded calls are refused. "
        "`ringfence store copy FROM settings` goes on with it; FROM is the other store."
    ),
}


def refuse_marked(version: str | None, *, expected: str = HEAD) -> None:
    """Refuse a store that a mark closes to whoever does not expect this mark.

    Raises:
        JournalUnavailable: It is closed.
    """
    why = _WHY.get((version or "").split(" ", 1)[0])
    if why is not None and version != expected:
        raise JournalUnavailable(why)
