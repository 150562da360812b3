"""Moves old actions and rows of the audit log into a file, in steps that a killed process may end behind any of.

1. The file is written beside its place, synced and named. Nothing in the store changed.
2. The store notes the file, in one transaction with a row of the audit log: from here on the rows are archived, and
   the chain of the store begins behind them.
3. What the file holds is deleted from the store, some at a time, each only where it still is what the file holds.
4. The store notes that nothing is left to delete.

The same command goes on where one ended.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from server.store.archiving.files import (
    ArchiveWriter,
    Beginning,
    Unit,
    Whole,
    check_archive,
    part_of,
    read_rows_of,
    read_units_of,
)
from server.store.archiving.units import AT_ONCE, archivable_units, delete_units, read_units, still_archivable
from server.store.engine import Database
from server.store.key_values import drop_value
from server.store.operators.approval_check import Signatures
from server.store.operators.approvals import StoredApproval, approvals_about
from server.store.schema import audit as audit_table
from server.store.sealed.archived import Archived, ArchiveFile, StayingApproval
from server.store.sealed.audit import Audit, Entry
from server.store.sealed.checkpoint import CHECKPOINT
from server.store.sealed.hash_chain import ChainCheck, Row
from server.store.sealed.log_check import in_batches, read_all_rows, read_rows
from server.store.transactions.locks import Locks

T = TypeVar("T")

_ROWS_AT_ONCE: Final = 1000
_LOCKS: Final = Locks.on("archive")


class CannotArchive(Exception):
    """Nothing was archived, or the rest was not. The message says why, and what is left."""


class EnrolledPasskeys(Signatures, Protocol):
    """Follows which passkeys are enrolled, row by row."""

    @property
    def enrolled(self) -> Mapping[str, Any]:
        """The passkeys as the rows leave them, as JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far archiving is, after each step."""

    step: str
    rows: int = 0
    units: int = 0
    changed: int = 0
    """Actions and plans that changed since they were written into the file, and so stay in the store."""


class StoredArchives:
    """Archives of a store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def state(self) -> Archived:
        """Return what was archived.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        return await self._database.read(self._audit.archived)

    def check_file(self, file: Path) -> Whole:
        """Check that an archive is as it was written.

        Raises:
            BadArchive, OSError: As `check_archive`.
        """
        return check_archive(file, self._audit)

    async def archive(
        self, file: Path, *, before: datetime, now: datetime, by: str, passkeys: EnrolledPasskeys
    ) -> AsyncGenerator[Progress]:
        """Archive what is older than a time, or go on with a file that is under way; yield after each step.

        Raises:
            CannotArchive: The file is no archive that fits, another one is under way, or nothing is old enough.
            BadArchive, OSError: The file cannot be used.
            JournalUnavailable: The store cannot be used.
        """
        state = await self.state()
        if state.under_way not in {None, str(file)}:
            raise CannotArchive(
                f"{state.under_way} is an archive whose content is not all deleted from the store yet. Nothing was "
                f"changed. Finish that one first: `ringfence actions archive {state.under_way}`."
            )
        if state.under_way is None:
            if not await anyio.Path(file).exists():
                await self._database.read(partial(_write_file, audit=self._audit, file=file, before=before, now=now))
                yield Progress("written")
            await self._note(state, file, by=by, passkeys=passkeys)
            yield Progress("noted")
        whole = await anyio.to_thread.run_sync(self.check_file, file)
        if whole.digest != (await self.state()).files[-1].digest:
            raise CannotArchive(
                f"{file.name} is not the archive that the store knows under this name. Nothing more was deleted. Put "
                "the right file in its place, and run the command again."
            )
        progress = Progress("deleted")
        for rows in _in_batches(read_rows_of(file), lambda _: 1, _ROWS_AT_ONCE):
            await self._database.write(partial(_delete_rows, rows), locks=_LOCKS)
            progress = replace(progress, rows=progress.rows + len(rows))
            yield progress
        number = len((await self.state()).files)
        for units in _in_batches(read_units_of(file), _weight, AT_ONCE):
            work = partial(_delete_units, units, archive=number, before=whole.beginning.moment, now=now)
            changed = await self._database.write(work)
            progress = replace(progress, units=progress.units + len(units), changed=progress.changed + changed)
            yield progress
        await self._end(file, passkeys)
        yield replace(progress, step="done")

    async def _note(self, state: Archived, file: Path, *, by: str, passkeys: EnrolledPasskeys) -> None:
        """Note the file in the store, from where on its rows count as archived."""
        whole = await anyio.to_thread.run_sync(self.check_file, file)
        beginning = whole.beginning
        if (beginning.after, beginning.enrolled) != (state.last, dict(state.enrolled)):
            raise CannotArchive(
                f"{file.name} is an archive, but not the next one of this store: it begins behind row "
                f"{beginning.after.number}, and row {state.last.number} is the last one that was archived. Nothing was "
                "changed. Name a new file."
            )
        chain = self._audit.new_check(after=beginning.after)
        passkeys.enrol(beginning.enrolled)
        await anyio.to_thread.run_sync(_follow, file, chain, passkeys)
        if not chain.end().is_whole or chain.last != whole.last:
            raise CannotArchive(f"The rows in {file.name} do not fit together. Nothing was changed.")
        made = ArchiveFile(
            name=file.name,
            digest=whole.digest,
            first=beginning.after.number + 1,
            last=whole.last,
            actions=whole.actions,
            plans=whole.plans,
            before=beginning.before,
            made_at=beginning.made_at,
        )

        def note(entry: Entry) -> None:
            connection = entry.connection
            if self._audit.archived(connection) != state:
                raise CannotArchive("Another process archived meanwhile. Nothing was changed. Run the command again.")
            if made.rows and made.last != self._audit.row(connection, made.last.number):
                raise CannotArchive(f"The store does not have the rows of {file.name}. Nothing was changed.")
            drop_value(connection, CHECKPOINT)
            self._audit.put_archived(
                connection,
                replace(state, files=(*state.files, made), enrolled=passkeys.enrolled, under_way=str(file)),
            )
            detail = {"file": made.name, "digest": made.digest, "first": made.first, "last": made.last.number}
            detail |= {"actions": made.actions, "plans": made.plans}
            self._audit.append(entry, "archived", principal=by, detail=detail)

        await self._audit.write(note, needs_whole_log=True)

    async def _end(self, file: Path, signatures: Signatures) -> None:
        """Note that all is deleted, and which approvals stay, as their actions do, while their rows are archived."""

        def find(connection: Connection) -> tuple[StayingApproval, ...]:
            before = {(one.about, one.operator) for one in self._audit.archived(connection).staying}
            found = {one.about for one in self._audit.archived(connection).staying}
            staying = {_key(one): one for one in approvals_about(connection, found) if _key(one) in before}
            for rows in _in_batches(read_rows_of(file), lambda _: 1, _ROWS_AT_ONCE):
                logged = {(one.about, one.operator) for one in signatures.find(rows)}
                stored = approvals_about(connection, {about for about, _ in logged}) if logged else []
                staying |= {_key(one): one for one in stored if _key(one) in logged}
            return tuple(StayingApproval(one.about, one.operator, one.digest) for one in staying.values())

        staying = await self._database.read(find)

        def end(connection: Connection) -> None:
            state = self._audit.archived(connection)
            self._audit.put_archived(connection, replace(state, staying=staying, under_way=None))

        await self._database.write(end)


def _write_file(connection: Connection, *, audit: Audit, file: Path, before: datetime, now: datetime) -> None:
    """Write a file with what is older than a time."""
    state = audit.archived(connection)
    last = _last_row_before(connection, state.last.number, before)
    beginning = Beginning(
        after=state.last, before=before.isoformat(), made_at=now.isoformat(), enrolled=dict(state.enrolled)
    )
    units = 0
    with ArchiveWriter(file, beginning) as writer:
        for rows in read_all_rows(connection, after=state.last.number, up_to=last):
            for row in rows:
                writer.add_row(row)
        for unit in archivable_units(connection, before, now):
            writer.add_unit(unit)
            units += 1
        if units or last > state.last.number:
            writer.close(audit)
    if not units and last <= state.last.number:
        part_of(file).unlink()
        raise CannotArchive(f"Nothing is older than {before:%Y-%m-%d}. Nothing was changed.")


def _last_row_before(connection: Connection, first: int, before: datetime) -> int:
    """Return the number of the last row that is older than a time, and at least `first`; rows are in order of time."""
    low, high = first, connection.execute(select(func.max(audit_table.c.number))).scalar() or first
    while low < high:
        middle = (low + high + 1) // 2
        at = connection.execute(select(audit_table.c.at).where(audit_table.c.number == middle)).scalar()
        low, high = (middle, high) if at is not None and at < before else (low, middle - 1)
    return low


def _follow(file: Path, chain: ChainCheck, passkeys: EnrolledPasskeys) -> None:
    for rows in in_batches(read_rows_of(file)):
        chain.add(rows)
        passkeys.look(rows)


def _delete_rows(rows: Sequence[Row], connection: Connection) -> None:
    """Delete rows of the audit log, if they are those of the file."""
    first, last = rows[0]["number"], rows[-1]["number"]
    kept = {row["number"]: row for row in rows}
    for row in read_rows(connection, after=first - 1, up_to=last, limit=len(rows)):
        if row != kept.get(row["number"]):
            raise CannotArchive(
                f"Row {row['number']} of the audit log in the store is not the one in the file: one of them was "
                "changed. What is not deleted yet stays in the store. Look with `ringfence audit verify FILE`."
            )
    connection.execute(delete(audit_table).where(audit_table.c.number.between(first, last)))


def _delete_units(
    units: Sequence[Unit], connection: Connection, *, archive: int, before: datetime, now: datetime
) -> int:
    """Delete the units that are still as they were archived; return how many are not."""
    there: dict[str, Unit] = {}
    for of_plans in (False, True):
        ids = [unit.id for unit in units if unit.is_plan is of_plans]
        there |= {unit.id: unit for unit in read_units(connection, ids, of_plans=of_plans)}
    same = [unit for unit in units if there.get(unit.id) == unit]
    may_go = still_archivable(connection, [unit.id for unit in same], before, now)
    same = [unit for unit in same if unit.id in may_go]
    delete_units(connection, same, archive=archive)
    return len(there) - len(same)


def _weight(unit: Unit) -> int:
    return 1 + len(unit.actions)


def _in_batches(items: Iterable[T], weight: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Group what is read, until a group weighs so much."""
    batch: list[T] = []
    so_far = 0
    for one in items:
        batch.append(one)
        so_far += weight(one)
        if so_far >= most:
            yield batch
            batch, so_far = [], 0
    if batch:
        yield batch


def _key(approval: StoredApproval) -> tuple[str, str]:
    return approval.about, approval.operator
