"""Follows a forwarded call over our own numbers: a circle never ends, and every hop of a chain is billed."""

from collections.abc import Mapping, Sequence
from typing import Final

from clients.operation import NumberForward
from clients.phone_numbers import canonical
from guard.errors import DestinationRefused
from guard.own_numbers import OwnNumber, OwnNumbers
from guard.rules.policy import Decision

MOST_HOPS: Final = 8
MOST_FORWARDS: Final = 20
"""How many forwards of one call are followed; a route may have many numbers and many ends."""

_CIRCLE: Final = "THIS MAKES A CIRCLE"
_UNNAMED: Final = "the number"


class Forwarding:
    """Looks for circles and chains before a call that forwards a number."""

    def __init__(self, own_numbers: OwnNumbers) -> None:
        self._own_numbers = own_numbers

    async def check(self, forwards: Sequence[NumberForward]) -> tuple[Decision, tuple[str, ...]]:
        """Note a forward that makes a circle or a chain, with every number on the way; a circle is asked about.

        Raises:
            DestinationRefused: A number would be forwarded to itself.
        """
        forwards = forwards[:MOST_FORWARDS]
        for forward in forwards:
            if forward.number is not None and _same(forward.number, forward.to):
                raise DestinationRefused(f"{forward.to} would be forwarded to itself; nothing was sent.")
        if not forwards:
            return Decision.ALLOW, ()
        return _judge(forwards, _forwards_of(await self._own_numbers.find_all()))

    async def check_together(self, forwards: Sequence[NumberForward]) -> tuple[Decision, tuple[str, ...]]:
        """Note the circles and chains of several calls that are made one after the other, as they are after the last.

        Empty where there are fewer than two forwards: `check` says everything about one.
        """
        named = [forward for forward in forwards if forward.number is not None]
        if len(named) < 2:
            return Decision.ALLOW, ()
        leads_to = _forwards_of(await self._own_numbers.find_all())
        for forward in named:
            leads_to[_key(forward.number or "")] = _key(forward.to)
        return _judge(named, leads_to)


def _judge(forwards: Sequence[NumberForward], leads_to: Mapping[str, str]) -> tuple[Decision, tuple[str, ...]]:
    """Word every circle and chain that the forwards are part of; a circle is asked about."""
    found = (_note(forward, leads_to) for forward in forwards)
    notes = tuple(dict.fromkeys(note for note in found if note))
    is_circle = any(note.startswith(_CIRCLE) for note in notes)
    return (Decision.ASK if is_circle else Decision.ALLOW), notes


def _forwards_of(owned: Sequence[OwnNumber]) -> dict[str, str]:
    """Return where the calls of our numbers go, both in canonical form; of several forwards of a number, the first."""
    leads_to: dict[str, str] = {}
    for one in owned:
        if one.forwards_to is not None:
            leads_to.setdefault(_key(one.number), _key(one.forwards_to))
    return leads_to


def _note(forward: NumberForward, leads_to: Mapping[str, str]) -> str:
    """Word the circle or chain that a forward makes; empty where it makes neither."""
    start = _key(forward.number) if forward.number else _UNNAMED
    others = {number: to for number, to in leads_to.items() if number != start}
    way = [start, _key(forward.to)]
    while len(way) <= MOST_HOPS and way[-1] in others and way[-1] not in way[:-1]:
        way.append(others[way[-1]])
    if way[-1] in way[:-1]:
        return f"{_CIRCLE}: {_shown(way)}. Calls go round until a network drops them, and every hop is billed."
    way = [*_before(start, others), *way]
    return f"Calls are forwarded {len(way) - 1} times: {_shown(way)}. Every hop is billed." if len(way) > 2 else ""


def _shown(way: Sequence[str]) -> str:
    return " to ".join(way)


def _before(start: str, leads_to: Mapping[str, str]) -> list[str]:
    """Return our numbers that lead to one, the farthest first; of several, the first in order."""
    way: list[str] = []
    while len(way) < MOST_HOPS:
        target = way[0] if way else start
        sources = sorted(number for number, to in leads_to.items() if to == target and number not in way)
        if not sources:
            break
        way.insert(0, sources[0])
    return way


def _key(number: str) -> str:
    plain = number if number.startswith("+") else f"+{number}"
    return canonical(plain) or number


def _same(one: str, other: str) -> bool:
    return _key(one) == _key(other)
