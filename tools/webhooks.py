"""What a provider posted, in one form: what it is about, how that stands, and what a person wrote."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

Kind = Literal["sms", "campaign", "inbound", "pool"]
KINDS: tuple[Kind, ...] = ("sms", "campaign", "inbound", "pool")

RANKS = {"Queued": 0, "Scheduled": 0, "Running": 1, "Sent": 1}
"""How far a state is from the end; what is not listed is final, and no state goes back."""


PLAIN_SENDER: Final = re.compile(r"[+(]?[0-9\s().\-*#]{0,32}|[A-Za-z0-9&_-]{1,11}")
"""A number, or one word of a sender's length. Who texts or calls may send any text as the number; these say nothing."""


class BadCallback(Exception):
    """What was posted is not what the documents show. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback, read."""

    provider: str
    kind: Kind
    subject: str
    """Id of the message or campaign."""

    identity: str
    """What makes this callback one and the same when it is delivered again."""

    state: str
    part: int = 1
    parts: int = 1
    campaign: str | None = None
    number: str | None = None
    """The other side, in E.164."""

    ours: str | None = None
    text: str | None = None
    """What a stranger wrote."""

    price: Decimal | None = None
    reason: str | None = None
    counts: str | None = None
    """How many messages of a campaign are in which state."""

    at: datetime | None = None
    """When it happened, by the provider's clock."""

    @property
    def rank(self) -> int:
        """How far it has come."""
        return RANKS.get(self.state, 2)

    @property
    def is_final(self) -> bool:
        """True when no other state follows."""
        return self.rank == 2
