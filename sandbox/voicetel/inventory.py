"""The numbers that can be bought, made up deterministically, with the ten-minute cache that makes listings stale."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache

from sandbox.clock import Clock

CACHED_FOR = timedelta(minutes=10)
STALE_ENDING = "13"
"""inferred: a number can be listed and yet be gone when it is ordered; here those ending in 13 always are."""


@dataclass(frozen=True)
class RateCenter:
    """Where a run of numbers belongs; `lines` are its free line numbers."""

    npa: str
    state: str
    city: str
    name: str
    lata: str
    lines: range = range(100, 140)


# Every number of the sandbox is in 555-0100 to 555-0199, the block set aside for fiction.
EXCHANGE = "555"

RATE_CENTERS = (
    RateCenter("201", "NJ", "Hackensack", "HACKENSACK", "224", range(100, 120)),
    RateCenter("201", "NJ", "Jersey City", "JERSEYCITY", "224", range(120, 140)),
    RateCenter("212", "NY", "New York", "NWYRCYZN01", "132"),
    RateCenter("646", "NY", "New York", "NWYRCYZN01", "132"),
    RateCenter("305", "FL", "Miami", "MIAMI", "460"),
    RateCenter("415", "CA", "San Francisco", "SNFCSC", "722"),
    RateCenter("512", "TX", "Austin", "AUSTIN", "558", range(100, 120)),
    RateCenter("512", "TX", "Round Rock", "ROUNDROCK", "558", range(120, 140)),
    RateCenter("720", "CO", "Denver", "DENVER", "656"),
    RateCenter("808", "HI", "Honolulu", "HONOLULU", "834"),
    RateCenter("312", "IL", "Chicago", "CHICAGO", "358"),
    RateCenter("206", "WA", "Seattle", "SEATTLE", "674"),
    RateCenter("404", "GA", "Atlanta", "ATLANTA", "438"),
    RateCenter("833", "", "", "TOLLFREE", ""),
)


@dataclass(frozen=True)
class Offer:
    """A number on offer."""

    number: str
    center: RateCenter

    def to_wire(self) -> dict[str, object]:
        """Return the row of an inventory search."""
        return {
            "number": self.number,
            "province": self.center.state,
            "city": self.center.city,
            "rateCenter": self.center.name,
            "lata": self.center.lata,
        }


@cache
def _stock() -> dict[str, Offer]:
    offers = (Offer(f"{center.npa}{EXCHANGE}{line:04d}", center) for center in RATE_CENTERS for line in center.lines)
    return {offer.number: offer for offer in offers}


class Inventory:
    """Numbers nobody has yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offers = dict(_stock())
        self._cache: dict[tuple[object, ...], tuple[datetime, list[dict[str, object]]]] = {}

    def orderable(self, number: str) -> bool:
        """Return whether the network would hand this number over now."""
        return number in self._offers and not number.endswith(STALE_ENDING)

    def take(self, number: str) -> None:
        """Take a number out, because it was ordered here or by somebody else."""
        self._offers.pop(number, None)

    def matching(self, mask: str) -> list[Offer]:
        """Return offers whose number matches a prefix; `*` stands for any digits (inferred: anywhere in the mask)."""
        return [offer for offer in self._offers.values() if fnmatchcase(offer.number, f"{mask}*")]

    def offers(self) -> Iterable[Offer]:
        """Return every number on offer."""
        return self._offers.values()

    def cached(self, key: tuple[object, ...], find: Callable[[], list[dict[str, object]]]) -> list[dict[str, object]]:
        """Return the answer to a search, up to ten minutes old (documented)."""
        now = self._clock.now()
        stored = self._cache.get(key)
        if stored is None or now - stored[0] >= CACHED_FOR:
            stored = (now, find())
            self._cache[key] = stored
        return stored[1]
