"""What a simulated provider is, and the surroundings it runs in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from sandbox.clock import Clock
from sandbox.ledger import Ledger


@dataclass(frozen=True)
class Surroundings:
    """What all providers of one sandbox share: its time and its ledger."""

    clock: Clock
    ledger: Ledger


class Provider(Protocol):
    """One simulated provider, mounted under `/<name>`; its state lives in this object."""

    @property
    def name(self) -> str:
        """The path segment it is mounted under, such as `voicetel`."""
        ...

    @property
    def app(self) -> ASGIApp:
        """The provider's API; it sees paths relative to its mount in `scope["path"]` minus `scope["root_path"]`."""
        ...

    @property
    def controls(self) -> Sequence[BaseRoute]:
        """Routes of its own under `/_control/<name>`: what strangers do to it, such as a text coming in."""
        ...

    def reset(self) -> None:
        """Go back to the seed."""
        ...

    def describe(self) -> dict[str, object]:
        """Return credentials, seeded identifiers and special numbers, for people and tests."""
        ...

    def failure(self, status: int) -> Response:
        """Build an error answer in the provider's own shape, for injected faults such as 429 or 503."""
        ...


ProviderFactory = Callable[[Surroundings], Provider]
