"""The file of an archive: lines of JSON that are written once, and checked against a MAC under the store's key.

The first line says behind which row of the audit log the archive begins, the last one what it holds. Between them stand
the rows of the log and then the actions and plans, each with all of its rows. A file is written under another name, and
gets its own one when it is whole on the disk.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from server.store.private_files import give_to_owner_of_folder
from server.store.sealed.hash_chain import Head, Row

FORMAT: Final = 1
_PURPOSE: Final = "archive"
_BEGINNING: Final = b'{"archive": '


class BadArchive(Exception):
    """A file is no archive, or was changed. The message is a sentence."""


class ArchiveKey(Protocol):
    """Computes MACs under the store's key."""

    def mac_of_text(self, purpose: str, text: str) -> str:
        """Compute the MAC of a text of some kind."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The first line of an archive."""

    after: Head
    """The row of the audit log behind which the first one stands."""

    before: str
    """What was older than this time was archived."""

    made_at: str
    enrolled: Mapping[str, Any]
    """The passkeys of operators as earlier rows leave them."""

    @property
    def moment(self) -> datetime:
        """The time before which everything is archived."""
        return datetime.fromisoformat(self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a whole archive says of itself."""

    beginning: Beginning
    last: Head
    actions: int
    plans: int
    digest: str
    """SHA-256 of everything before the last line."""

    @property
    def rows(self) -> int:
        """How many rows of the audit log it holds."""
        return self.last.number - self.beginning.after.number


@dataclass(frozen=True, slots=True)
class Unit:
    """An action, or a plan with the actions of its steps: what is archived together."""

    id: str
    rows: Mapping[str, list[dict[str, Any]]]
    """Its rows by table, as JSON values."""

    @property
    def actions(self) -> list[dict[str, Any]]:
        """The rows of its actions."""
        return self.rows.get("actions", [])

    @property
    def is_plan(self) -> bool:
        """True for a plan."""
        return bool(self.rows.get("plans"))


class ArchiveWriter:
    """Writes an archive under the name of an unfinished one, and names it once it is whole on the disk."""

    def __init__(self, file: Path, beginning: Beginning) -> None:
        self._file = file
        self._part = part_of(file)
        self._part.unlink(missing_ok=True)
        self._output = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        give_to_owner_of_folder(self._part)
        self._beginning = beginning
        self._digest = hashlib.sha256()
        self._last = beginning.after
        self._actions = self._plans = 0
        self._write({"archive": FORMAT, **asdict(beginning)})

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; one that is not whole keeps the name of an unfinished one."""
        self._output.close()

    def add_row(self, row: Row) -> None:
        """Add a row of the audit log."""
        self._write({"row": dict(row)})
        self._last = Head(row["number"], row["mac"])

    def add_unit(self, unit: Unit) -> None:
        """Add an action or a plan."""
        self._write({"unit": unit.id, "rows": unit.rows})
        self._actions += len(unit.actions)
        self._plans += unit.is_plan

    def close(self, key: ArchiveKey) -> Whole:
        """Write the end, and give the file its name once everything is on the disk.

        Raises:
            FileExistsError: Another file has the name.
        """
        end = {"last": asdict(self._last), "actions": self._actions, "plans": self._plans}
        end |= {"digest": self._digest.hexdigest()}
        self._write({"end": end, "mac": key.mac_of_text(_PURPOSE, _text(end))})
        self._output.flush()
        os.fsync(self._output.fileno())
        self._output.close()
        if self._file.exists():
            raise FileExistsError(17, "There is a file of this name", str(self._file))
        self._part.rename(self._file)
        sync_folder(self._file.parent)
        return Whole(
            beginning=self._beginning,
            last=self._last,
            actions=self._actions,
            plans=self._plans,
            digest=str(end["digest"]),
        )

    def _write(self, value: Mapping[str, Any]) -> None:
        line = json.dumps(value).encode("ascii") + b"\n"
        self._digest.update(line)
        self._output.write(line)


def part_of(file: Path) -> Path:
    """Return the name of an archive that is being written."""
    return file.with_name(f"{file.name}.part")


def is_archive(file: Path) -> bool:
    """Return True if a file begins as an archive does.

    Raises:
        OSError: It cannot be read.
    """
    with file.open("rb") as content:
        return content.read(len(_BEGINNING)) == _BEGINNING


def check_archive(file: Path, key: ArchiveKey) -> Whole:
    """Check that a file is as it was written, with the store's key; the chain of its rows is checked elsewhere.

    Raises:
        BadArchive: It is not.
        OSError: It cannot be read.
    """
    digest, latest = hashlib.sha256(), b""
    with file.open("rb") as content:
        first = latest = content.readline()
        for line in content:
            digest.update(latest)
            latest = line
    try:
        beginning, last = json.loads(first), json.loads(latest)
        end, is_ours = last["end"], last["mac"] == key.mac_of_text(_PURPOSE, _text(last["end"]))
        if beginning.pop("archive") != FORMAT:
            raise BadArchive(f"{file.name} was written by a newer Ringfence.")
        if not is_ours:
            raise BadArchive(f"The end of {file.name} was changed, or it was written with another key.")
        if end["digest"] != digest.hexdigest():
            raise BadArchive(f"{file.name} was changed after it was written.")
        return Whole(
            beginning=Beginning(after=Head(**beginning.pop("after")), **beginning),
            last=Head(**end["last"]),
            actions=end["actions"],
            plans=end["plans"],
            digest=end["digest"],
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadArchive(f"{file.name} is no archive, or a part of it is missing.") from None


def read_rows_of(file: Path) -> Iterator[Row]:
    """Read the rows of the audit log in an archive that was checked."""
    for line in _lines(file):
        if "row" in line:
            yield line["row"]


def read_units_of(file: Path) -> Iterator[Unit]:
    """Read the actions and plans in an archive that was checked."""
    for line in _lines(file):
        if "unit" in line:
            yield Unit(line["unit"], line["rows"])


def sync_folder(folder: Path) -> None:
    """Have a new name in a folder written to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders, and writes names by itself
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as content:
        for line in content:
            yield json.loads(line)


def _text(end: Mapping[str, Any]) -> str:
    return json.dumps(end, sort_keys=True)
