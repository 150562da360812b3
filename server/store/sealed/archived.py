"""What the store knows of the rows and actions that were moved into archives, under the store's key.

The rows of the audit log that are left follow the last one that was archived, whose MAC stands here. Who has no key can
neither forge this nor take rows out of the log and say that they were archived.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from server.store.sealed.hash_chain import NO_ROW, Head, open_text, seal_text

ARCHIVED: Final = "audit archived"
"""The name under which the store holds it."""

_PURPOSE: Final = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """A file that rows were moved into."""

    name: str
    digest: str
    """SHA-256 of the file."""

    first: int
    """The number of its first row of the audit log."""

    last: Head
    actions: int
    plans: int
    before: str
    """What was older than this time was moved."""

    made_at: str

    @property
    def rows(self) -> int:
        """How many rows of the audit log it holds."""
        return self.last.number - self.first + 1


@dataclass(frozen=True, slots=True)
class StayingApproval:
    """An approval that is still in the store, while its row of the audit log was archived."""

    about: str
    operator: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Everything that was archived, the oldest first."""

    files: tuple[ArchiveFile, ...] = ()
    enrolled: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The passkeys of operators as the archived rows leave them; the signatures after these rows are checked by it."""

    staying: tuple[StayingApproval, ...] = ()
    under_way: str | None = None
    """The path of the newest file while what it holds is being deleted from the store."""

    @property
    def last(self) -> Head:
        """The last row of the audit log that was archived."""
        return self.files[-1].last if self.files else NO_ROW

    def end_of(self, file: ArchiveFile) -> Head:
        """Return the row behind which a file's first row stands."""
        place = self.files.index(file)
        return self.files[place - 1].last if place else NO_ROW


NOTHING_ARCHIVED: Final = Archived()


def seal_archived(key: bytes, archived: Archived) -> str:
    """Serialise it with its MAC, so that only the holder of the key can forge it."""
    return seal_text(key, _PURPOSE, json.dumps(asdict(archived), sort_keys=True))


def read_archived(stored: str | None, key: bytes) -> Archived:
    """Return what is archived; nothing if none is stored, or if its MAC is wrong: then rows are missing."""
    if (plain := open_text(stored, key, _PURPOSE)) is None:
        return NOTHING_ARCHIVED
    found: dict[str, Any] = json.loads(plain)
    files = tuple(ArchiveFile(last=Head(**one.pop("last")), **one) for one in found.pop("files"))
    staying = tuple(StayingApproval(**one) for one in found.pop("staying"))
    return Archived(files=files, staying=staying, **found)
