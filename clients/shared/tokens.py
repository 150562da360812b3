"""Stores of login sessions that must outlive the process."""

from typing import Protocol


class TokenStore(Protocol):
    """Stores one opaque text under each name. Processes that share a store share the sessions in it.

    Best effort: without the store another login is needed, and nothing else fails.
    """

    async def get(self, name: str) -> str | None:
        """Return the text that was stored last."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Store a text in place of the earlier one."""
        ...

    async def drop(self, name: str) -> None:
        """Delete the text."""
        ...


class ProcessTokens:
    """Sessions in this process's memory."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        """Return what is stored under the name, None where nothing is."""
        return self._kept.get(name)

    async def put(self, name: str, value: str) -> None:
        """Store it in memory."""
        self._kept[name] = value

    async def drop(self, name: str) -> None:
        """Delete it."""
        self._kept.pop(name, None)
