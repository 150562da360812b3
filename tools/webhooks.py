"""A webhook in one form for all providers: its subject, the subject's state, and text that a person wrote."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

Kind = Literal["sms", "campaign", "inbound", "pool"]
KINDS: tuple[Kind, ...] = ("sms", "campaign", "inbound", "pool")

RANKS = {"Queued": 0, "Scheduled": 0, "Running": 1, "Sent": 1}
"""Rank of each state; a state that is not listed is final, and a state never goes back to a lower rank."""


PLAIN_SENDER: Final = re.compile(r"[+(]?[0-9\s().\-*#]{0,32}|[A-Za-z0-9&_-]{1,11}")
"""A number, or one word of a sender's length. A sender may be any text; one of this form can hold no instruction."""


class BadCallback(Exception):
    """A webhook body is not as documented. The message says what is missing."""


def source_of(provider: str, account: str) -> str:
    """Name where a text came in: the provider, with the account where that has a name of its own."""
    return provider if account == provider else f"{provider}, account {account}"


@dataclass(frozen=True, slots=True)
class Callback:
    """One parsed webhook."""

    provider: str
    kind: Kind
    subject: str
    """Id of the message or campaign."""

    identity: str
    """Key by which a repeated delivery of the same webhook is recognised."""

    state: str
    part: int = 1
    parts: int = 1
    """How many there are: of a message's parts, or of a campaign's messages; 0 where that is not known."""

    campaign: str | None = None
    number: str | None = None
    """The other side, in E.164."""

    ours: str | None = None
    text: str | None = None
    """Text from outside."""

    price: Decimal | None = None
    reason: str | None = None
    counts: str | None = None
    """How many messages of a campaign are in which state."""

    at: datetime | None = None
    """When it happened, by the provider's clock."""

    details: Mapping[str, str] = field(default_factory=dict[str, str])
    """What else it says of the message, such as its label and the recipient's country."""

    raw: str | None = None
    """The body as it came, where a part of it could not be read."""

    account: str = ""
    """The name of the account to whose URL it was posted; empty for the one that is named like the provider."""

    @property
    def received_for(self) -> str:
        """The name of the account to whose URL it was posted."""
        return self.account or self.provider

    @property
    def source(self) -> str:
        """Where it comes from, for people: the provider, with the account where that has a name of its own."""
        return source_of(self.provider, self.received_for)

    @property
    def rank(self) -> int:
        """How far the subject has come."""
        return RANKS.get(self.state, 2)

    @property
    def is_final(self) -> bool:
        """True when no other state follows."""
        return self.rank == 2
