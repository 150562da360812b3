"""Checks archives: one by itself, or all of them together with the rest of the log, across the boundaries."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio.to_thread

from clients.shared.clock import SystemClock
from server.console.health.verification import CheckedRecord, check_record
from server.console.passkeys.audit_check import SignatureCheck, SignatureVerdict
from server.store.archiving.archives import StoredArchives
from server.store.archiving.files import BadArchive, Whole, read_rows_of
from server.store.sealed.hash_chain import Row, Verdict
from server.store.sealed.log_check import in_batches
from server.store.store import Store


async def check_archive_alone(store: Store, file: Path) -> tuple[Whole, Verdict, SignatureVerdict]:
    """Check an archive with the key of the store, and nothing else of it.

    Raises:
        BadArchive: It was changed, or written with another key.
        OSError: It cannot be read.
    """
    archives, signatures = StoredArchives(store.database, store.audit), SignatureCheck()

    def check() -> tuple[Whole, Verdict]:
        whole = archives.check_file(file)
        chain = store.audit.new_check(after=whole.beginning.after)
        signatures.enrol(whole.beginning.enrolled)
        for rows in in_batches(read_rows_of(file)):
            chain.add(rows)
            signatures.look(rows)
        if (verdict := chain.end()).is_whole and chain.last != whole.last:
            raise BadArchive(f"{file.name} does not have the rows that its end names.")
        return whole, verdict

    whole, verdict = await anyio.to_thread.run_sync(check)
    return whole, verdict, signatures.verdict


async def check_with_archives(store: Store, files: Sequence[Path], *, by: str) -> CheckedRecord:
    """Check the whole log from its first row: the archives in their order, and the store behind them.

    Raises:
        BadArchive: One was changed, is missing, or is of another store.
        OSError: One cannot be read.
    """
    archives = StoredArchives(store.database, store.audit)
    found = {(await anyio.to_thread.run_sync(archives.check_file, file)).digest: file for file in files}
    known = (await archives.state()).files
    for one in known:
        if one.digest not in found:
            raise BadArchive(
                f"The archive {one.name} is missing: name it with --archive, too. Its SHA-256 was {one.digest} when "
                "it was written."
            )
    if others := [found[digest] for digest in found if digest not in {one.digest for one in known}]:
        raise BadArchive(f"{others[0].name} is no archive of this store.")
    in_order = [found[one.digest] for one in known]
    return await check_record(store, by=by, at=SystemClock().now(), earlier=_rows_of(in_order))


def _rows_of(files: Sequence[Path]) -> Iterator[Sequence[Row]]:
    """Read the rows of archives, the oldest first."""
    for file in files:
        yield from in_batches(read_rows_of(file))
