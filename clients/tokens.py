"""Where a client keeps a session that must outlive the process."""

from typing import Protocol


class TokenStore(Protocol):
    """Keeps one opaque text a name. Several processes that share a store share the sessions in it.

    Keeping is best effort: a store that cannot be used costs a login, and stops nothing.
    """

    async def get(self, name: str) -> str | None:
        """What was kept last."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Keep a text in place of the one before."""
        ...

    async def drop(self, name: str) -> None:
        """Forget it."""
        ...


class ProcessTokens:
    """Sessions kept in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self._kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self._kept[name] = value

    async def drop(self, name: str) -> None:
        self._kept.pop(name, None)
