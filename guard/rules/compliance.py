"""Quiet hours, opt-outs, duplicates and bulk: rules and data that no tool can write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Protocol

from guard.errors import DestinationRefused
from guard.rules.time_zones import describe_missing_zones, load_zone, zones_of

_NAMED: Final = 5
"""How many numbers a refusal names; a group may have thousands."""


class OptOuts(Protocol):
    """Numbers whose owners want nothing sent."""

    async def among(self, numbers: Sequence[str]) -> list[str]:
        """Those of the numbers that opted out."""
        ...

    async def unclear(self, numbers: Sequence[str]) -> list[str]:
        """Those of the numbers that sent what may be a wish to stop, which the operator has not judged yet."""
        ...


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of the day, at the destination, in which nothing is sent; it may run over midnight."""

    start: time
    end: time

    def cover(self, moment: time) -> bool:
        """Return True if the moment lies in the span."""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True, slots=True)
class Compliance:
    """The operator's rules for what goes out."""

    quiet_hours: QuietHours | None = None
    duplicate_window: timedelta = timedelta(minutes=10)
    """The same call, repeated within this time, needs approval again."""

    bulk_limit: int = 10
    """Calls that touch more recipients or numbers go to the operator."""

    def check_hour(self, numbers: Sequence[str], moment: datetime) -> None:
        """Check that it is not night where the destinations are at the moment when a call goes out.

        The zones come from the number's area. A number that may lie in several zones is quiet when one of them is, and
        one whose zone nobody knows, or of whose zone this system has no data, always is.

        Raises:
            DestinationRefused: It is quiet time at one of them.
        """
        if self.quiet_hours is None:
            return
        for number in numbers:
            zones = zones_of(number)
            if not zones:
                raise DestinationRefused(
                    f"The local time of {number} is unknown, and quiet hours are set; nothing was sent."
                )
            for name in zones:
                self._check_zone(self.quiet_hours, number, name, moment, is_sure=len(zones) == 1)

    def _check_zone(self, quiet: QuietHours, number: str, name: str, moment: datetime, *, is_sure: bool) -> None:
        zone = load_zone(name)
        if zone is None:
            raise DestinationRefused(
                f"{describe_missing_zones([name])}. Without it the local time of {number} is unknown, and quiet hours "
                "are set; nothing was sent."
            )
        local = moment.astimezone(zone)
        if quiet.cover(local.time()):
            raise DestinationRefused(
                f"When this goes out it is {local:%H:%M} in {name} where {number} {'is' if is_sure else 'may be'}; "
                f"nothing is sent from {quiet.start:%H:%M} to {quiet.end:%H:%M} there. Nothing was sent."
            )


async def check_opt_outs(numbers: Sequence[str], optouts: OptOuts) -> None:
    """Check that nobody among the recipients opted out.

    Raises:
        DestinationRefused: Somebody did.
    """
    refused = await optouts.among(numbers)
    if refused:
        more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        named = ", ".join(refused[:_NAMED])
        raise DestinationRefused(f"{named}{more} opted out of messages and calls; nothing was sent.")


async def unclear_wish_note(numbers: Sequence[str], optouts: OptOuts) -> str:
    """Say who among the recipients may have wanted no more messages; empty if nobody did."""
    found = await optouts.unclear(numbers)
    if not found:
        return ""
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return (
        f"{', '.join(found[:_NAMED])}{more} wrote what may be a wish to get no more messages or calls. Read it with "
        "`ringfence optouts requests` before you approve."
    )
