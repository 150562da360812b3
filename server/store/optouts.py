"""Numbers whose owners opted out of messages. The operator and the owners' own texts add them, never a tool."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.phone_numbers import canonical
from server.store.engine import Database
from server.store.schema import optouts
from server.store.sealed.audit import Audit

_AT_ONCE = 500


class StoredOptOuts:
    """Implements `guard.rules.compliance.OptOuts`."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def among(self, numbers: Sequence[str]) -> list[str]:
        """Return those of the numbers that opted out, in the same order and as they are given.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        async with self._database.reading() as connection:
            found = await _known(connection, [_key(number) for number in numbers])
        return [number for number in numbers if _key(number) in found]

    async def add(self, numbers: Iterable[str], *, source: str, by: str | None = None) -> int:
        """Add numbers and return how many are new; `by` is who added them, if the source does not say."""
        wanted = _canonical_numbers(numbers)
        async with self._audit.entry() as entry:
            added = await _insert(entry.connection, wanted, source=source)
            for start in range(0, len(added), _AT_ONCE):
                detail = {"numbers": added[start : start + _AT_ONCE], "source": source}
                await self._audit.append(entry, "opted out", principal=by or source, detail=detail)
        return len(added)

    async def remove(self, number: str, *, by: str) -> bool:
        """Remove a number; return False if it was not listed."""
        async with self._audit.entry() as entry:
            removed = await entry.connection.execute(delete(optouts).where(optouts.c.number == _key(number)))
            if removed.rowcount > 0:
                await self._audit.append(entry, "opt-out removed", principal=by, detail={"number": _key(number)})
        return removed.rowcount > 0

    async def all(self) -> list[tuple[str, str]]:
        """Return every number with its source."""
        query = select(optouts.c.number, optouts.c.source).order_by(optouts.c.number)
        async with self._database.reading() as connection:
            return [(str(number), str(source)) for number, source in (await connection.execute(query)).all()]


async def add_optouts(connection: AsyncConnection, numbers: Iterable[str], *, source: str) -> int:
    """Add numbers in the caller's transaction, and return how many are new; the caller adds the audit row.

    Anything but a telephone number is left out: senders may use any name, and recipients are only compared by number.
    """
    return len(await _insert(connection, _canonical_numbers(numbers), source=source))


def _key(number: str) -> str:
    """Return what a number is stored under; text that is no number is only equal to itself."""
    return canonical(number) or number


def _canonical_numbers(numbers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found for number in numbers if (found := canonical(number)) is not None))


async def _insert(connection: AsyncConnection, numbers: Sequence[str], *, source: str) -> list[str]:
    """Insert the numbers that are not listed, and return them."""
    known = await _known(connection, numbers)
    added = [number for number in numbers if number not in known]
    now = datetime.now(UTC)
    if added:
        rows = [{"number": number, "at": now, "source": source} for number in added]
        await connection.execute(insert(optouts), rows)
    return added


async def _known(connection: AsyncConnection, numbers: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(numbers), _AT_ONCE):
        query = select(optouts.c.number).where(optouts.c.number.in_(numbers[start : start + _AT_ONCE]))
        found |= set((await connection.execute(query)).scalars())
    return found
