"""Money and counts as they would have run up: what caps and allowances have left at each moment of the past."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from guard.allowances.allowance import Allowance, Use, window_start
from guard.money import Money
from guard.replay.recorded import DaySum
from guard.rules.budget import Cap, Spent, start_of


@dataclass(slots=True)
class _Window:
    """What was counted since the window of a cap or of an allowance began."""

    start: datetime | None
    amount: Decimal = Decimal(0)
    count: int = 0

    def move_to(self, start: datetime | None) -> None:
        """Begin to count anew where another window began."""
        if start != self.start:
            self.start, self.amount, self.count = start, Decimal(0), 0


class Ledger:
    """What is spent under each cap, one call after the other."""

    def __init__(self, caps: Sequence[Cap], begins: datetime, before: Iterable[DaySum] = ()) -> None:
        """`before` is what was spent before the ledger begins, in the windows that were open then."""
        self._windows: dict[Cap, _Window] = {}
        known = list(before)
        for cap in caps:
            start = start_of(cap.window, begins)
            counted = [
                one.money.amount
                for one in known
                if one.day >= start.date() and cap.covers(one.provider, one.account, one.money.currency)
            ]
            self._windows[cap] = _Window(start, max(Decimal(0), sum(counted, Decimal(0))))

    def spent(self, caps: Iterable[Cap], now: datetime) -> list[Spent]:
        """Return what is spent in the window of each cap."""
        return [Spent(cap, self._window(cap, now).amount) for cap in caps]

    def add(self, provider: str, account: str, money: Money, now: datetime) -> None:
        """Count what a call costs."""
        for cap in self._windows:
            if cap.covers(provider, account, money.currency):
                self._window(cap, now).amount += money.amount

    def _window(self, cap: Cap, now: datetime) -> _Window:
        window = self._windows[cap]
        window.move_to(start_of(cap.window, now))
        return window


class AllowanceLedger:
    """What allowances have let through, one call after the other."""

    def __init__(self, allowances: Iterable[Allowance]) -> None:
        self._allowances: Mapping[str, Allowance] = {one.id: one for one in allowances}
        self._counts = {one: _Window(None) for one in self._allowances}
        self._money = {one: _Window(None) for one in self._allowances}

    def take(self, allowance_ids: Iterable[str], use: Use, now: datetime) -> str | None:
        """Count a call under the first allowance that has room for it; return its id, None if none has."""
        for one in allowance_ids:
            if self._take(self._allowances[one], use, now):
                return one
        return None

    def give_back(self, allowance_id: str, use: Use) -> None:
        """Count a call no more that was counted just before."""
        self._counts[allowance_id].count -= use.count
        if use.amount is not None:
            self._money[allowance_id].amount -= use.amount.amount

    def _take(self, allowance: Allowance, use: Use, now: datetime) -> bool:
        terms = allowance.terms
        count, money = self._counts[allowance.id], self._money[allowance.id]
        count.move_to(window_start(terms.count.window, now))
        if count.count + use.count > terms.count.most:
            return False
        if use.amount is not None:
            if terms.money is None or terms.money.most.currency != use.amount.currency:
                return False
            money.move_to(window_start(terms.money.window, now))
            if money.amount + use.amount.amount > terms.money.most.amount:
                return False
            money.amount += use.amount.amount
        count.count += use.count
        return True
