"""Says when a scheduled send goes out where its recipients are, and whether its offset is the one in force there."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from guard.rules.time_zones import load_zone, zones_of

_SHOWN: Final = 4
"""How many different local times a question lists."""


def departure_notes(moments: Sequence[datetime], numbers: Sequence[str]) -> tuple[str, ...]:
    """Return one note for each moment with its local times, and one for each offset that is in force nowhere there.

    `moments` are aware, each with the offset that it was written with.
    """
    places = Counter(zones_of(number) for number in numbers)
    notes: list[str] = []
    for moment in dict.fromkeys(moments):
        if local := _local_times(moment, places):
            notes.append(f"Goes out {local}.")
            notes += _wrong_offset(moment, places)
    return tuple(notes)


def _local_times(moment: datetime, places: Counter[tuple[str, ...]]) -> str:
    """Word the local times of all recipients, those of most recipients first."""
    times: Counter[str] = Counter()
    for zones, count in places.items():
        times[_in_zones(moment, zones)] += count
    known = [(words, count) for words, count in times.most_common() if words]
    several = len(times) > 1
    shown = [f"{words} ({_recipients(count)})" if several else words for words, count in known[:_SHOWN]]
    if not shown:
        return ""
    left = sum(times.values()) - sum(count for _, count in known[:_SHOWN])
    return "; ".join(shown) + (f"; the local time of {_recipients(left)} is not listed" if left else "")


def _in_zones(moment: datetime, zones: Sequence[str]) -> str:
    """Word a moment in the zones in which one number may be; empty where none is known."""
    names: dict[str, list[str]] = {}
    for name in zones:
        if (zone := load_zone(name)) is not None:
            local = moment.astimezone(zone)
            names.setdefault(f"{local:%A} {local.day} {local:%B %Y, %H:%M}", []).append(name)
    if len(names) > _SHOWN:
        latest, earliest = max(_offsets(moment, zones)), min(_offsets(moment, zones))
        return f"at a local time that is not known, from UTC{_signed(earliest)} to UTC{_signed(latest)}"
    return " or ".join(f"{time} in {_zone_names(where)}" for time, where in names.items())


def _wrong_offset(moment: datetime, places: Counter[tuple[str, ...]]) -> list[str]:
    """Say that the offset which a time was written with is another than the recipients have on that day.

    UTC is no claim about their clocks, so it is never wrong.
    """
    given = moment.utcoffset()
    zones = sorted({zone for where in places for zone in where})
    there = _offsets(moment, zones)
    if not given or not there or given in there:
        return []
    others = " or ".join(f"UTC{_signed(offset)}" for offset in sorted(there)[:_SHOWN])
    return [
        f"CHECK THE TIME: it was written as {moment:%H:%M} with UTC{_signed(given)}, but where the recipients are the "
        f"offset on that day is {others}."
    ]


def _offsets(moment: datetime, zones: Sequence[str]) -> set[timedelta]:
    loaded = (load_zone(name) for name in zones)
    found = (moment.astimezone(zone).utcoffset() for zone in loaded if zone is not None)
    return {offset for offset in found if offset is not None}


def _signed(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _zone_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more zones" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _recipients(count: int) -> str:
    return f"{count} recipient{'' if count == 1 else 's'}"
