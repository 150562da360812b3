"""What was checked a moment ago for a call that policy allows, so that it is not read twice before the call is sent.

Such a call is proposed and sent by the same caller, with no question in between. The transaction that begins it looks
again at what may not be missed: whether everything is stopped, and whether the caps have room.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from guard.rules.quote import Quote

COUNTS_FOR: Final = timedelta(seconds=1)
"""How old a check may be, from the beginning of it: a provider that answers slowly makes it be repeated."""


@dataclass(frozen=True, slots=True)
class Checked:
    """When a call was checked against every rule, and at which price."""

    at: datetime
    """When the first of the checks began: later ones may have waited for the provider."""

    priced: Quote


class JustChecked:
    """Remembers the checks of the last moment, each for one call."""

    def __init__(self) -> None:
        self._by_action: dict[str, Checked] = {}

    def remember(self, action_id: str, checked: Checked, now: datetime) -> None:
        """Remember a check, and forget those that count no more."""
        self._by_action = {one: found for one, found in self._by_action.items() if counts_at(found, now)}
        self._by_action[action_id] = checked

    def take(self, action_id: str, now: datetime) -> Checked | None:
        """Return the check of an action, once; None where there is none that still counts."""
        found = self._by_action.pop(action_id, None)
        return found if found is not None and counts_at(found, now) else None


def counts_at(checked: Checked, now: datetime) -> bool:
    """Return True if a check is of the last moment; one of the future shows a clock that was set back."""
    return checked.at <= now < checked.at + COUNTS_FOR
