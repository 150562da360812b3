"""Clients whose session at the provider can be ended."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Revocable(Protocol):
    """A client that keeps a session which outlives the process."""

    async def revoke(self) -> bool:
        """End the session at the provider and forget it; False if there was none.

        Raises:
            ProviderUnreachable, ProviderFailed: The provider did not confirm; call again.
        """
        ...
