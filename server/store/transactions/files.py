"""The files of an open SQLite store, by which a process notices that they were deleted or replaced."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """The files of an open SQLite store: the database, its log and its shared memory, by device and number."""

    paths: tuple[str, ...]
    numbers: tuple[tuple[int, int] | None, ...]

    @classmethod
    def of(cls, file: str) -> "OpenFiles":
        """Look the files up. Links are followed: SQLite puts its log beside the file that a link leads to."""
        real = os.path.realpath(file)
        paths = (file, f"{real}-wal", f"{real}-shm")
        return cls(paths, tuple(_number_of(path) for path in paths))

    @property
    def is_database_gone(self) -> bool:
        """True if there is no file at the database's place."""
        return _number_of(self.paths[0]) is None

    @property
    def are_same(self) -> bool:
        """True if the same files are at their places."""
        return tuple(_number_of(path) for path in self.paths) == self.numbers


def _number_of(path: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
