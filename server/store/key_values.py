"""Named values that every process on a store shares, such as the freeze switch."""

from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.engine import Database
from server.store.schema import facts

FROZEN: Final = "frozen"


async def get_value(connection: AsyncConnection, name: str) -> str | None:
    """Read a value in the caller's transaction."""
    value: str | None = (await connection.execute(select(facts.c.value).where(facts.c.name == name))).scalar()
    return value


async def put_value(connection: AsyncConnection, name: str, value: str) -> None:
    """Set a value in the caller's transaction."""
    await drop_value(connection, name)
    await connection.execute(insert(facts).values(name=name, value=value))


async def drop_value(connection: AsyncConnection, name: str) -> None:
    """Delete a value in the caller's transaction."""
    await connection.execute(delete(facts).where(facts.c.name == name))


class KeyValueStore:
    """Named values, such as the hash of the passcode and the address of the approval page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """Return the value; None if it is not set."""
        async with self._database.reading() as connection:
            return await get_value(connection, name)

    async def put(self, name: str, value: str) -> None:
        """Set the value."""
        async with self._database.transaction() as connection:
            await put_value(connection, name, value)

    async def drop(self, name: str) -> None:
        """Delete the value."""
        async with self._database.transaction() as connection:
            await drop_value(connection, name)
