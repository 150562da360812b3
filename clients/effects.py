"""What a call does, from harmless to irreversible; and what it spends."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Flag, auto
from functools import cache
from typing import Literal

Period = Literal["once", "month", "call"]


class Effect(Flag):
    """What a call does to the account. Classified by what happens, never by the HTTP method."""

    READ = auto()
    """Changes nothing."""

    WRITE = auto()
    """Changes something. Alone it is a plain write: it costs nothing, reaches nobody, and a call of the provider puts
    back exactly what was there."""

    PAID = auto()
    """Spends money. Joined with READ where a lookup bills."""

    DESTRUCTIVE = auto()
    """Removes, overwrites, ends or uses up something."""

    REROUTES = auto()
    """Live calls or messages go elsewhere."""

    PRIVILEGED = auto()
    """Touches credentials, roles, access lists or PINs, or what protects people: opt-outs, consent to be recorded."""

    OUTWARD = auto()
    """Reaches people outside the company, or the provider's staff: a message, a call, words in a call, a ticket."""

    @property
    def is_guarded(self) -> bool:
        """True when a person must approve the call, unless policy says otherwise."""
        return bool(self & ~(Effect.READ | Effect.WRITE))

    @property
    def is_plain_read(self) -> bool:
        """True when the call changes nothing and costs nothing, so that repeating it is harmless."""
        return self is Effect.READ

    @property
    def is_plain_write(self) -> bool:
        """True when the call costs nothing, reaches nobody, and a call of the provider puts back what was there."""
        return self is Effect.WRITE

    @property
    def labels(self) -> list[str]:
        """The single effects, lower case, in declaration order."""
        return [str(effect.name).lower() for effect in effects_in(self)]


@cache
def effects_in(effect: Effect) -> tuple[Effect, ...]:
    """Return the single effects of a combination, in declaration order."""
    return tuple(single for single in Effect if single in effect)


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The most that one costs by a document of the provider, where the account shows no price: a default of ours."""

    amount: Decimal
    source: str
    """The document that names it."""

    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a call spends: a quantity of something that has a price.

    Exactly one of `rate`, `each` and `unknown` says where the price comes from. A price that cannot be known
    is unknown, with the reason; it is never zero.
    """

    item: str
    """What is paid for, in the singular: `number`, `SMS segment`."""

    quantity: int = 1

    per: Period = "once"
    """`month` when the amount is charged every month, `call` when every later use costs again."""

    rate: str | None = None
    """Name of the account's rate."""

    each: Decimal | None = None
    """Price of one, as the provider's documents fix it, in `currency`."""

    currency: str = "USD"

    unknown: str | None = None
    """Why the price cannot be known beforehand."""

    source: str = ""
    """Where a fixed price is written, or how the quantity was estimated."""

    def __post_init__(self) -> None:
        given = [self.rate is not None, self.each is not None, self.unknown is not None]
        if sum(given) != 1:
            raise ValueError("A charge has exactly one of rate, each and unknown.")
