"""Quiet hours, opt-outs, duplicates and bulk: rules and data that no tool can write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

from guard.errors import DestinationRefused

_NAMED: Final = 5
"""How many numbers a refusal names; a group may have thousands."""


class OptOuts(Protocol):
    """Numbers whose owners want nothing sent."""

    async def among(self, numbers: Sequence[str]) -> list[str]:
        """Those of the numbers that opted out."""
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

        The zone comes from the number. A number that may lie in several zones is quiet when one of them is, and one
        whose zone nobody knows always is.

        Raises:
            DestinationRefused: It is quiet time at one of them.
        """
        if self.quiet_hours is None:
            return
        for number in numbers:
            zones = _zones(number)
            if not zones:
                raise DestinationRefused(
                    f"The local time of {number} is unknown, and quiet hours are set; nothing was sent."
                )
            for zone in zones:
                local = moment.astimezone(ZoneInfo(zone))
                if self.quiet_hours.cover(local.time()):
                    raise DestinationRefused(
                        f"When this goes out it is {local:%H:%M} in {zone} where {number} is; nothing is sent from "
                        f"{self.quiet_hours.start:%H:%M} to {self.quiet_hours.end:%H:%M} there. Nothing was sent."
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


def _zones(number: str) -> list[str]:
    """Return every zone in which the number may be; none where that is not known."""
    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return []
    return [zone for zone in found if zone != timezone.UNKNOWN_TIMEZONE]
