"""The page of the money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.rules.budget import Cap
from server.console.access import require_session
from server.console.login import SignIn
from server.console.money.charts import DayChart, Rectangle, draw_cap, draw_days, draw_share
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.reports.money import CapUse, CurrencyReport, NotAMonth, Share, money_report, read_month
from server.store.reports.spending import charge_in_words
from server.store.reports.spent import Item
from tools.registry import operation_named


@dataclass(frozen=True, slots=True)
class CapView:
    """A cap, ready for the template."""

    use: CapUse
    bar: Sequence[Rectangle]


@dataclass(frozen=True, slots=True)
class ShareView:
    """A part of a month, ready for the template."""

    share: Share
    title: str
    bar: Rectangle


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The parts of a month by one thing."""

    name: str
    parts: Sequence[ShareView]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One of the largest items, ready for the template."""

    item: Item
    charged: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyView:
    """A month in one currency, ready for the template."""

    report: CurrencyReport
    chart: DayChart
    axis: Sequence[str]
    breakdowns: Sequence[Breakdown]
    largest: Sequence[ItemView]


class MoneyPages:
    """The handlers of the money."""

    def __init__(self, frame: Frame, login: SignIn, clock: Clock, caps: Sequence[Cap]) -> None:
        self._frame = frame
        self.login = login
        self._clock = clock
        self._caps = caps

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [Route(f"{ROOT}/money", self.month)]

    @require_session
    async def month(self, request: Request, session: Session) -> Response:
        """Show what a month cost: the one that is under way, or the one that the address names."""
        now = self._clock.now()
        try:
            first = read_month(request.query_params.get("month"), now)
        except NotAMonth as wrong:
            raise HTTPException(404, str(wrong)) from None
        report = await money_report(self._frame.store.spent, self._caps, first, now)
        today = now.astimezone(UTC).date() if report.is_now else None
        values: dict[str, Any] = {
            "report": report,
            "caps": [CapView(use, draw_cap(use)) for use in report.caps],
            "currencies": [_view(one, today) for one in report.currencies],
        }
        return await self._frame.show("money/month.html", session, **values)


def _view(report: CurrencyReport, today: date | None) -> CurrencyView:
    return CurrencyView(
        report=report,
        chart=draw_days(report, today),
        axis=[f"{report.days[number].day:%b} {report.days[number].day.day}" for number in (0, 14, -1)],
        breakdowns=_breakdowns(report),
        largest=[ItemView(one, charge_in_words(one.action, one.charged)) for one in report.largest],
    )


def _breakdowns(report: CurrencyReport) -> list[Breakdown]:
    """Return the parts by provider, account and operation; accounts only where they are not the providers again."""
    accounts = (
        [] if _names(report.by_account) == _names(report.by_provider) else [_breakdown("Account", report.by_account)]
    )
    return [
        _breakdown("Provider", report.by_provider),
        *accounts,
        _breakdown("Operation", report.by_operation, of_operations=True),
    ]


def _names(shares: Sequence[Share]) -> list[str]:
    return [one.name for one in shares]


def _breakdown(name: str, shares: Sequence[Share], *, of_operations: bool = False) -> Breakdown:
    largest = shares[0].amount if shares else None
    parts = [
        ShareView(share, _title(share.name) if of_operations else share.name, draw_share(share, largest))
        for share in shares
        if largest is not None
    ]
    return Breakdown(name, parts)


def _title(operation: str) -> str:
    found = operation_named(operation)
    return found.spec.title if found else operation or "not on record"
