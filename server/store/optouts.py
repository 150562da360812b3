"""Numbers whose owners want nothing sent. Written by the operator and by what the owners text, never by a tool."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.database import Database
from server.store.schema import optouts

_AT_ONCE = 500


class StoredOptOuts:
    """Implements `guard.compliance.OptOuts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def among(self, numbers: Sequence[str]) -> list[str]:
        async with self._database.reading() as connection:
            found = await _known(connection, numbers)
        return [number for number in numbers if number in found]

    async def add(self, numbers: Iterable[str], *, source: str) -> int:
        """Add numbers; returns how many are new."""
        async with self._database.transaction() as connection:
            return await add_optouts(connection, numbers, source=source)

    async def remove(self, number: str) -> bool:
        """Remove a number; False if it was not there."""
        async with self._database.transaction() as connection:
            removed = await connection.execute(delete(optouts).where(optouts.c.number == number))
        return removed.rowcount > 0

    async def all(self) -> list[tuple[str, str]]:
        """Every number with where it came from."""
        query = select(optouts.c.number, optouts.c.source).order_by(optouts.c.number)
        async with self._database.reading() as connection:
            return [(str(number), str(source)) for number, source in (await connection.execute(query)).all()]


async def add_optouts(connection: AsyncConnection, numbers: Iterable[str], *, source: str) -> int:
    """Add numbers in a transaction; returns how many are new."""
    wanted = list(dict.fromkeys(numbers))
    known = await _known(connection, wanted)
    now = datetime.now(UTC)
    rows = [{"number": number, "at": now, "source": source} for number in wanted if number not in known]
    if rows:
        await connection.execute(insert(optouts), rows)
    return len(rows)


async def _known(connection: AsyncConnection, numbers: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(numbers), _AT_ONCE):
        query = select(optouts.c.number).where(optouts.c.number.in_(numbers[start : start + _AT_ONCE]))
        found |= set((await connection.execute(query)).scalars())
    return found
