"""The door to the store: SQLAlchemy is imported and the store is opened when it is first used."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from clients.deferred import Deferred

if TYPE_CHECKING:
    from server.store.store import Store


class OpenStore(Protocol):
    """The signature of `server.store.store.open_store`."""

    def __call__(self, address: str, folder: Path, key: str | None = None) -> "Store":
        """Return the store at an address; the database itself is opened on first use."""
        ...


OPEN_STORE: Final = Deferred[OpenStore]("server.store.store:open_store")
"""Most sessions only read at a provider, and loading SQLAlchemy takes longer than they do."""


class StoreDoor:
    """Holds a store that is opened on first use; what needs the store later is given the door."""

    def __init__(self, address: str, folder: Path, key: str | None = None) -> None:
        """Take the arguments of `server.store.store.open_store`."""
        self._address = address
        self._folder = folder
        self._key = key

    @cached_property
    def store(self) -> "Store":
        """The store."""
        return OPEN_STORE.load()(self._address, self._folder, self._key)

    @property
    def is_open(self) -> bool:
        """True once the store was used."""
        return "store" in self.__dict__

    @property
    def is_there(self) -> bool:
        """True if there is a store to look into: its file exists, or it is no file."""
        return self._file is None or self._file.exists()

    @property
    def has_worked(self) -> bool:
        """True if a worker may have left something to do on this store: one worked on it, or it is no file."""
        return self._file is None or Path(f"{self._file}-worker").exists()

    @property
    def _file(self) -> Path | None:
        """The file of the store; None where it is no file."""
        file = self._address.removeprefix("sqlite+aiosqlite:///").removeprefix("sqlite:///").partition("?")[0]
        return None if file == self._address else Path(file)

    async def close(self) -> None:
        """Close the store, if it was opened."""
        if self.is_open:
            await self.store.database.close()
