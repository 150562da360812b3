"""Single values that every process on one store shares, and the freeze switch among them."""

from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.engine import Database
from server.store.schema import facts

FROZEN: Final = "frozen"


async def get_value(connection: AsyncConnection, name: str) -> str | None:
    """A value, in the caller's transaction."""
    value: str | None = (await connection.execute(select(facts.c.value).where(facts.c.name == name))).scalar()
    return value


async def put_value(connection: AsyncConnection, name: str, value: str) -> None:
    """Set a value, in the caller's transaction."""
    await drop_value(connection, name)
    await connection.execute(insert(facts).values(name=name, value=value))


async def drop_value(connection: AsyncConnection, name: str) -> None:
    """Forget a value, in the caller's transaction."""
    await connection.execute(delete(facts).where(facts.c.name == name))


class KeyValueStore:
    """Named values: the passcode's hash, the address of the approval page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """The value, if it was set."""
        async with self._database.reading() as connection:
            return await get_value(connection, name)

    async def put(self, name: str, value: str) -> None:
        """Set the value."""
        async with self._database.transaction() as connection:
            await put_value(connection, name, value)

    async def drop(self, name: str) -> None:
        """Forget the value."""
        async with self._database.transaction() as connection:
            await drop_value(connection, name)
