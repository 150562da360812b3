"""Finds every time zone in which a telephone number may be, by its area code.

A number of an area is counted in all zones of that area, also where the data knows its exchange: the data lists some
exchanges only, and people take their numbers along.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

NORTH_AMERICA: Final = 1
_AREA_CODE_DIGITS: Final = 3
"""Length of an area code in the North American Numbering Plan."""

_OF_A_WHOLE_STATE: Final = (
    (("America/Boise", "America/Denver", "America/Los_Angeles"), "725 986"),
    (("America/Chicago", "America/Denver"), "346 430 531 682 737 945"),
    (("America/Chicago", "America/New_York"), "324 364 448 463 629 645 656 689 754 930 947"),
    (("America/Denver", "America/Los_Angeles"), "458 971"),
    (("America/Edmonton", "America/Vancouver"), "236 672"),
    (("America/Halifax", "America/Puerto_Rico", "America/St_Johns"), "879"),
    (("America/Halifax", "America/Toronto"), "273 354 367 438 468 579 581 873"),
    (("America/Regina", "America/Winnipeg"), "474 639"),
    (("America/Toronto", "America/Winnipeg"), "226 249 289 343 365 382 548 647 683 742 753"),
)
"""Area codes whose exchanges the data does not know, mostly overlays, with the zones of their state or province.

The data gives such a code the zone of most of the state, although the older code it was laid over has several.
Derived from phonenumbers' time zones and places; a test derives it again.
"""


@lru_cache(maxsize=8192)
def zones_of(number: str) -> tuple[str, ...]:
    """Return the names of all time zones in which a number in E.164 may be; none where no zone is known."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    known = {zone for zone in timezone.time_zones_for_number(parsed) if zone != timezone.UNKNOWN_TIMEZONE}
    if not known:
        return ()
    return tuple(sorted(known | _zones_of_area(_area_prefix(parsed))))


def load_zone(name: str) -> ZoneInfo | None:
    """Return a time zone; None where this system has no data for it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None


def find_missing_zones() -> tuple[str, ...]:
    """Return the names of zones in which telephone numbers lie and for which this system has no data."""
    names = {zone for zones in TIMEZONE_DATA.values() for zone in zones}
    return tuple(sorted(name for name in names if load_zone(name) is None))


def describe_missing_zones(missing: Sequence[str]) -> str:
    """Say which zone data is missing and what helps, as the start of a sentence."""
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"This system has no time zone data for {missing[0]}{more}; install the Python package tzdata"


def _area_prefix(parsed: phonenumbers.PhoneNumber) -> str:
    """Return country code and area code of a number; the country code alone where it has no area code."""
    national = phonenumbers.national_significant_number(parsed)
    if parsed.country_code == NORTH_AMERICA:
        return f"{NORTH_AMERICA}{national[:_AREA_CODE_DIGITS]}"
    return f"{parsed.country_code}{national[: phonenumbers.length_of_geographical_area_code(parsed)]}"


@lru_cache(maxsize=2048)
def _zones_of_area(prefix: str) -> frozenset[str]:
    listed = _union(zones for known, zones in TIMEZONE_DATA.items() if known.startswith(prefix))
    return listed | _union(
        zones for zones, codes in _OF_A_WHOLE_STATE if prefix in {f"1{code}" for code in codes.split()}
    )


def _union(several: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(zone for zones in several for zone in zones)
