"""Charts as rectangles of SVG, made on the server: their colours are those of the page's stylesheet.

No library fits: those that are kept, pygal for one, put a style and a script of their own into each picture, which the
page's content security policy refuses, and do not know the reader's dark mode. Texts stand beside the picture, as HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from guard.money import Money
from server.reports.money import CapUse, CurrencyReport, Share

HEIGHT: Final = 100
"""Units of the height of a chart by day; the stylesheet says how tall it is."""

COLUMN: Final = 10
"""Units of the width of a day, with the space after it."""

_GAP: Final = 2
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class Rectangle:
    """One rectangle: its place, in units of the chart, its class, and what it stands for."""

    x: int | float
    y: int | float
    width: int | float
    height: int | float
    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class DayChart:
    """What each day of a month cost."""

    width: int
    height: int
    bars: Sequence[Rectangle]
    most: Money
    """What the tallest bar stands for."""


def draw_days(report: CurrencyReport, today: date | None) -> DayChart:
    """Draw a bar for each day of a month, the tallest as high as the chart."""
    most = max((one.amount.amount for one in report.days), default=Decimal(0))
    bars: list[Rectangle] = []
    for number, one in enumerate(report.days):
        height = _part(one.amount.amount, most, HEIGHT)
        name = "today" if one.day == today else "to-come" if today and one.day > today else "spent"
        title = f"{one.day.day} {one.day:%B}: {one.amount}, {one.calls} call{'' if one.calls == 1 else 's'}"
        place = (number * COLUMN, HEIGHT - height, COLUMN - _GAP, height)
        bars.append(Rectangle(*place, name, title))
    return DayChart(len(report.days) * COLUMN, HEIGHT, bars, Money(most, report.currency))


def draw_cap(use: CapUse) -> Sequence[Rectangle]:
    """Draw how much of a cap is used: what is charged, then what is reserved."""
    whole = max(use.cap.limit.amount, use.spent)
    charged = _part(use.spent - use.reserved, whole, _FULL)
    reserved = _part(use.reserved, whole, _FULL)
    return (
        Rectangle(0, 0, charged, 1, "over" if use.percent > _FULL else "spent"),
        Rectangle(charged, 0, reserved, 1, "reserved"),
    )


def draw_share(share: Share, largest: Money) -> Rectangle:
    """Draw a part of a month beside the largest part."""
    return Rectangle(0, 0, _part(share.amount.amount, largest.amount, _FULL), 1, "spent")


def _part(amount: Decimal, whole: Decimal, units: int) -> float:
    """Return an amount in units of a chart: at least half a unit of what is more than nothing, so that it shows."""
    if amount <= 0 or whole <= 0:
        return 0
    return max(0.5, round(float(amount / whole * units), 1))
