"""Named values that every process on a store shares, such as the freeze switch."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from server.store.engine import Database
from server.store.schema import facts
from server.store.transactions.statements import Statement

FROZEN: Final = "frozen"

_VALUE: Final = Statement(select(facts.c.value).where(facts.c.name == bindparam("named")))
_CHANGE: Final = Statement(update(facts).where(facts.c.name == bindparam("named")))
_ADD: Final = Statement(insert(facts))


def get_value(connection: Connection, name: str) -> str | None:
    """Read a value in the caller's transaction."""
    value: str | None = _VALUE.value(connection, {"named": name})
    return value


def put_value(connection: Connection, name: str, value: str) -> None:
    """Set a value in the caller's transaction."""
    if _CHANGE.run(connection, {"named": name, "value": value}) == 0:
        _ADD.run(connection, {"name": name, "value": value})


def drop_value(connection: Connection, name: str) -> None:
    """Delete a value in the caller's transaction."""
    connection.execute(delete(facts).where(facts.c.name == name))


class KeyValueStore:
    """Named values, such as the hash of the passcode and the address of the approval page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """Return the value; None if it is not set."""
        return await self._database.read(lambda connection: get_value(connection, name))

    async def put(self, name: str, value: str) -> None:
        """Set the value."""
        await self._database.write(lambda connection: put_value(connection, name, value))

    async def change(self, name: str, to: Callable[[str | None], str]) -> None:
        """Replace the value by what `to` makes of it; no other process changes it meanwhile."""
        await self._database.write(lambda connection: put_value(connection, name, to(get_value(connection, name))))

    async def drop(self, name: str) -> None:
        """Delete the value."""
        await self._database.write(lambda connection: drop_value(connection, name))
