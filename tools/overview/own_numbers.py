"""Finds the company's own numbers at all providers, for the guard."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

from guard.own_numbers import OwnNumber
from tools.overview.gather import gather
from tools.overview.views import OwnedNumber, View

MOST_NUMBERS: Final = 10
"""How many numbers of one call are looked up. Further ones count as not known."""


async def find_own_numbers(views: Mapping[str, View], numbers: Collection[str]) -> Mapping[str, OwnNumber]:
    """Return those of the numbers, in E.164, that one of the views has; where several have it, the one that forwards.

    A provider that cannot be read has none of them.
    """
    found: dict[str, OwnNumber] = {}
    for number in list(dict.fromkeys(numbers))[:MOST_NUMBERS]:
        gathered = await gather(views, partial(_look_up, number))
        owned = [OwnNumber(number, one.provider, one.forwards_to) for one in gathered.found.values() if one is not None]
        if owned:
            found[number] = next((one for one in owned if one.forwards_to), owned[0])
    return found


async def all_own_numbers(views: Mapping[str, View]) -> Sequence[OwnNumber]:
    """Return the numbers of all views, as far as they can be read."""
    gathered = await gather(views, lambda view: view.numbers())
    return [OwnNumber(one.number, one.provider, one.forwards_to) for found in gathered.found.values() for one in found]


async def _look_up(number: str, view: View) -> OwnedNumber | None:
    return await view.owned(number)
