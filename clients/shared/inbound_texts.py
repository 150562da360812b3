"""Texts that came in, as the answers of providers show them, and who takes note of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class InboundText:
    """One text that somebody outside sent to a number of ours."""

    sender: str | None
    """In E.164 where the provider shows it so; otherwise as it is shown. None where it is not shown."""

    text: str
    """Text from outside."""

    ours: str | None = None
    """Our number or mailbox that it was sent to."""

    message: str | None = None
    """The provider's id of it; None where it is not shown."""

    at: datetime | None = None
    """When it was sent, by the provider's clock."""


class TextObserver(Protocol):
    """Takes note of wishes to get no more messages."""

    async def take_in(self, provider: str, texts: Sequence[InboundText]) -> None:
        """Take in the texts of one answer. The same text may come again and again; it never fails the read."""
        ...
