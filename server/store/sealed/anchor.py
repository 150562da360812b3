"""The anchor: a file beside the database that names the last row of the audit log that was written.

It shows that rows were cut off, however that came about: an older copy was restored, the write-ahead log or the whole
database was deleted. It may lag behind the log, as after a crash, and is never ahead of it.
"""

import logging
import stat
from pathlib import Path
from typing import Final

from server.store.private_files import close_folder, replace_file
from server.store.sealed.hash_chain import NO_ROW, Head

ANCHOR_FILE: Final = "audit.anchor"
_LENGTH: Final = 96
"""Bytes of the file, filled up with spaces: an anchor of the same length is written over the last one in one step."""

_log = logging.getLogger(__name__)


class Anchor:
    """Reads and writes the anchor of a state folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / ANCHOR_FILE

    def read(self) -> Head:
        """Return the anchored row; `NO_ROW` if there is no anchor."""
        try:
            number, mac = self.file.read_text(encoding="utf-8").split()
            return Head(int(number), mac)
        except (OSError, ValueError):
            return NO_ROW

    def advance(self, head: Head) -> None:
        """Anchor a row, unless a later one is anchored; the rows of several processes may arrive in any order."""
        if head.number > self.read().number:
            self.move_to(head)

    def move_to(self, head: Head) -> None:
        """Anchor a row, whatever is anchored now.

        Its row is committed already, so a failing disk must not look like a failed commit; the next row replaces it.
        """
        try:
            self._write(f"{head.number} {head.mac}".ljust(_LENGTH - 1).encode("ascii") + b"\n")
        except OSError as failed:
            _log.warning("The audit anchor %s cannot be written: %s", self.file, failed.strerror)

    def _write(self, line: bytes) -> None:
        """Write over the anchor that is there; a file that is missing, or no anchor of ours, is replaced."""
        if self._has_length(len(line)):
            with self.file.open("r+b", buffering=0) as file:
                file.write(line)
            return
        close_folder(self.file.parent)
        replace_file(self.file, line)

    def _has_length(self, length: int) -> bool:
        """Return True if there is a file of this length at the anchor's place, and not a link to one elsewhere."""
        try:
            facts = self.file.lstat()
        except OSError:
            return False
        return stat.S_ISREG(facts.st_mode) and facts.st_size == length
