"""What the guard asks of the store. Every move is atomic; the store says no when it cannot write."""

from collections.abc import Collection
from typing import Any, Protocol

from guard.action import Action, State


class Journal(Protocol):
    """Actions on the record.

    Every method raises `JournalUnavailable` when the record cannot be read or written, so that nothing guarded goes on.
    """

    async def propose(self, action: Action) -> Action:
        """Record a new action, or return the one that is open for the same digest."""
        ...

    async def find(self, action_id: str) -> Action | None:
        """The action of this id."""
        ...

    async def find_open(self, digest: str) -> Action | None:
        """The action that is open for this digest."""
        ...

    async def move(self, action_id: str, allowed: Collection[State], to: State, **changes: Any) -> Action | None:
        """Move an action from one of the allowed states; None if it is in none of them. Works once for any race."""
        ...

    async def latest(self, limit: int, *, states: Collection[State] | None = None) -> list[Action]:
        """Actions, newest first."""
        ...


class Vault(Protocol):
    """Keeps secrets for the operator, sealed, under the action that made them."""

    async def keep(self, action_id: str, name: str, secret: str) -> None:
        """Keep a secret."""
        ...
