"""What was spent in a month, against the caps and by what, and what the month may come to.

Currencies are never added: each has a report of its own.
"""

import calendar
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Final, TypeVar

from guard.money import Money
from guard.rules.budget import Cap, start_of
from server.store.reports.spent import DaySum, Item, MonthSpent, Reserved, StoredSpent

AVERAGED_DAYS: Final = 7
"""Full days that a forecast averages: each day of the week once."""

DAYS_WITH_SPENDING: Final = 3
"""Of these, on how many something must have been spent; fewer say nothing about the others."""

K = TypeVar("K", bound=Hashable)


class NotAMonth(Exception):
    """A month cannot be read; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class CapUse:
    """How much of a cap is used in its window: charged, reserved for what is not settled, and left."""

    cap: Cap
    spent: Decimal
    """Charged and reserved together, as the cap is checked."""

    reserved: Decimal

    @property
    def charged(self) -> Money:
        """What is settled."""
        return Money(self.spent - self.reserved, self.cap.limit.currency)

    @property
    def reserved_money(self) -> Money:
        """What is reserved."""
        return Money(self.reserved, self.cap.limit.currency)

    @property
    def left(self) -> Money:
        """What may still be spent."""
        return Money(max(Decimal(0), self.cap.limit.amount - self.spent), self.cap.limit.currency)

    @property
    def percent(self) -> int:
        """Hundredths of the cap that are used, rounded up; 100 for a cap of nothing."""
        if not self.cap.limit.amount:
            return 100
        return int((100 * self.spent / self.cap.limit.amount).to_integral_value(ROUND_UP))


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what a month cost."""

    name: str
    amount: Money
    calls: int


@dataclass(frozen=True, slots=True)
class Day:
    """What one day of the month cost."""

    day: date
    amount: Money
    calls: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month may come to, and how that is computed."""

    amount: Money
    average: Money
    """Of a full day of the last seven."""

    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyReport:
    """What a month cost in one currency."""

    currency: str
    total: Money
    today: Money | None
    """None for a month that is over."""

    reserved: Money
    """What is reserved now, in the total or for steps that are not sent."""

    days: Sequence[Day]
    by_provider: Sequence[Share]
    by_account: Sequence[Share]
    by_operation: Sequence[Share]
    largest: Sequence[Item]
    forecast: Forecast | None
    why_no_forecast: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReport:
    """What was spent in a month, one report a currency."""

    first: date
    """The first day of the month."""

    is_now: bool
    """True for the month that is under way."""

    caps: Sequence[CapUse]
    call_caps: Sequence[Cap]
    """Caps on a single call, of which nothing is used up."""

    currencies: Sequence[CurrencyReport]
    reserved: Sequence[Reserved]
    """What is reserved now, the oldest first, the steps of a plan on one account together."""

    as_of: datetime
    earlier: date | None
    """The month before, if anything on record is as old."""

    later: date | None


def read_month(text: str | None, now: datetime) -> date:
    """Return the first day of a month, as `2026-11`; of the month that is under way where none is named.

    Raises:
        NotAMonth: It cannot be read, or it is yet to come.
    """
    this = now.astimezone(UTC).date().replace(day=1)
    if not text:
        return this
    try:
        found = datetime.strptime(text.strip(), "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise NotAMonth(f"{text.strip()[:20]!r} is no month; 2026-11 is expected.") from None
    if found > this:
        raise NotAMonth(f"{found:%Y-%m} is yet to come.")
    return found


async def money_report(stored: StoredSpent, caps: Sequence[Cap], first: date, now: datetime) -> MoneyReport:
    """Read what was spent in a month, and put it together."""
    after = next_month(first)
    spent = await stored.month(_midnight(first), _midnight(after), caps, now)
    today = now.astimezone(UTC).date()
    is_now = first <= today < after
    of_month = [one for one in spent.sums if one.day >= first]
    found = {one.amount.currency for one in of_month}
    if is_now:
        found |= {cap.limit.currency for cap in caps} | {one.amount.currency for one in spent.reserved}
    return MoneyReport(
        first=first,
        is_now=is_now,
        caps=[_cap_use(one.cap, one.amount, spent.reserved, now) for one in spent.caps] if is_now else [],
        call_caps=[cap for cap in caps if cap.window == "action"] if is_now else [],
        currencies=[_of_currency(one, first, spent, today if is_now else None) for one in sorted(found)],
        reserved=_together(spent.reserved) if is_now else [],
        as_of=now,
        earlier=(first - timedelta(days=1)).replace(day=1) if spent.first_day and spent.first_day < first else None,
        later=None if is_now else after,
    )


def next_month(first: date) -> date:
    """Return the first day of the month after."""
    return first + timedelta(days=calendar.monthrange(first.year, first.month)[1])


def _cap_use(cap: Cap, spent: Decimal, reserved: Sequence[Reserved], now: datetime) -> CapUse:
    since = start_of(cap.window, now)
    counted = [one.amount.amount for one in reserved if one.at >= since and _counts(cap, one)]
    return CapUse(cap, spent, min(spent, sum(counted, Decimal(0))))


def _together(reserved: Sequence[Reserved]) -> list[Reserved]:
    """Add up what is reserved for the same, on one account and in one currency."""
    found: dict[tuple[str, str, str], Reserved] = {}
    for one in reserved:
        key = (one.id, one.account, one.amount.currency)
        found[key] = replace(found[key], amount=found[key].amount + one.amount) if key in found else one
    return sorted(found.values(), key=lambda one: one.at)


def _counts(cap: Cap, reserved: Reserved) -> bool:
    return cap.covers(reserved.provider, reserved.account, reserved.amount.currency)


def _of_currency(currency: str, first: date, spent: MonthSpent, today: date | None) -> CurrencyReport:
    sums = [one for one in spent.sums if one.amount.currency == currency]
    of_month = [one for one in sums if one.day >= first]
    by_day = {day.name: day for day in _shares(of_month, currency, lambda one: one.day.isoformat())}
    none = Money(Decimal(0), currency)
    days = [
        Day(day, by_day[key].amount, by_day[key].calls) if (key := day.isoformat()) in by_day else Day(day, none, 0)
        for day in (first + timedelta(days=number) for number in range((next_month(first) - first).days))
    ]
    forecast, why_not = _forecast(sums, days, spent.first_day, today) if today else (None, "")
    reserved = [one.amount.amount for one in spent.reserved if one.amount.currency == currency]
    return CurrencyReport(
        currency=currency,
        total=_total(of_month, currency),
        today=next((one.amount for one in days if one.day == today), None),
        reserved=Money(sum(reserved, Decimal(0)) if today else Decimal(0), currency),
        days=days,
        by_provider=_largest_first(_shares(of_month, currency, lambda one: one.provider)),
        by_account=_largest_first(_shares(of_month, currency, lambda one: one.account)),
        by_operation=_largest_first(_shares(of_month, currency, lambda one: one.operation)),
        largest=spent.largest.get(currency, ()),
        forecast=forecast,
        why_no_forecast=why_not,
    )


def _forecast(
    sums: Sequence[DaySum], days: Sequence[Day], first_day: date | None, today: date
) -> tuple[Forecast | None, str]:
    """Return what the month may come to, or why nothing can be said yet.

    That is what was spent before today, and for each day since the average of the last full days.
    """
    left = sum(1 for one in days if one.day > today)
    if not left:
        return None, "The month ends today."
    since = today - timedelta(days=AVERAGED_DAYS)
    averaged = [one for one in sums if since <= one.day < today]
    currency = days[0].amount.currency
    if first_day is None or first_day > since or len({one.day for one in averaged}) < DAYS_WITH_SPENDING:
        return None, (
            f"No forecast yet: it takes {AVERAGED_DAYS} full days on record, with spending on at least "
            f"{DAYS_WITH_SPENDING} of them."
        )
    average = _total(averaged, currency).amount / AVERAGED_DAYS
    before = sum((one.amount.amount for one in days if one.day < today), Decimal(0))
    now = next(one.amount.amount for one in days if one.day == today)
    amount = Money(_cents(before + max(now, average) + left * average), currency)
    of_day = Money(_cents(average), currency)
    return Forecast(
        amount,
        of_day,
        f"Spent so far, and for {left} more day{'' if left == 1 else 's'} the average of the last {AVERAGED_DAYS} full "
        f"days, {of_day}; today counts at least as much. Monthly fees that go on by themselves are not in it.",
    ), ""


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_UP)


def _total(sums: Sequence[DaySum], currency: str) -> Money:
    return Money(sum((one.amount.amount for one in sums), Decimal(0)), currency)


def _shares(sums: Sequence[DaySum], currency: str, key: Callable[[DaySum], str]) -> list[Share]:
    """Add up what has the same key."""
    of_key: dict[str, list[DaySum]] = {}
    for one in sums:
        of_key.setdefault(key(one), []).append(one)
    return [Share(name, _total(some, currency), sum(one.calls for one in some)) for name, some in of_key.items()]


def _largest_first(shares: Sequence[Share]) -> list[Share]:
    return sorted(
        (one for one in shares if one.calls or one.amount.amount), key=lambda one: (-one.amount.amount, one.name)
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
