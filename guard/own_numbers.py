"""The company's own numbers, as the guard asks for them: which numbers are ours, and where their calls go."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of ours at one provider."""

    number: str
    """In E.164."""

    provider: str
    """Name of the provider that has it."""

    forwards_to: str | None = None
    """The telephone number that its calls go to, in E.164; None where they go elsewhere or that is not known."""


class OwnNumbers(Protocol):
    """Finds numbers among those of all accounts."""

    async def find(self, numbers: Collection[str]) -> Mapping[str, OwnNumber]:
        """Return those of the numbers, in E.164, that are known to be ours; what cannot be read is left out."""
        ...

    async def find_all(self) -> Sequence[OwnNumber]:
        """Return the numbers of all accounts, as far as they can be read."""
        ...


class NoOwnNumbers:
    """Knows of no number that is ours."""

    async def find(self, numbers: Collection[str]) -> Mapping[str, OwnNumber]:
        """Return nothing."""
        return {}

    async def find_all(self) -> Sequence[OwnNumber]:
        """Return nothing."""
        return ()
