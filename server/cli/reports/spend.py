"""`ringfence spend`: what was spent, against the caps and by what, and what the month may come to."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import anyio
import typer
from rich.table import Table

from clients.shared.clock import SystemClock
from server.cli.terminal import StoreSession, Target, console, fail, operator_command, plain, tell, with_store
from server.reports.money import (
    CapUse,
    CurrencyReport,
    MoneyReport,
    NotAMonth,
    Share,
    money_report,
    read_month,
)
from server.store.reports.spending import charge_in_words

_WIDTH: Final = 24
"""Characters of the bar of a cap."""


@operator_command
def spend(
    target: Target,
    month: Annotated[str | None, typer.Option(help="Month, such as 2026-11; the one under way if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what was spent: against each cap, by provider, account, operation and day, and what is reserved."""

    async def show(session: StoreSession) -> None:
        now = SystemClock().now()
        try:
            first = read_month(month, now)
        except NotAMonth as wrong:
            fail(str(wrong))
        settings = session.settings
        caps = settings.rules.rules(settings.session_policy()).caps
        report = await money_report(session.store.spent, caps, first, now)
        if as_json:
            typer.echo(json.dumps(_facts(report), indent=2))
        else:
            _print(report)

    anyio.run(lambda: with_store(show, target))


def _print(report: MoneyReport) -> None:
    tell(f"{report.first:%B %Y}, as of {report.as_of:%Y-%m-%d %H:%M} UTC", "")
    if report.caps:
        rows = Table("cap", "used", "", "spent", "reserved", "left", box=None, pad_edge=False)
        for use in report.caps:
            cells = (use.cap.words, _bar(use), f"{use.percent} %", use.charged, use.reserved_money, use.left)
            rows.add_row(*(plain(cell) for cell in cells))
        console.print(rows)
    elif report.is_now:
        tell("No cap limits what is spent in a day or a month.")
    for one in report.currencies:
        _print_currency(one, is_now=report.is_now)
    if report.reserved:
        rows = Table("reserved for", "account", "since", "amount", box=None, pad_edge=False)
        for held in report.reserved:
            rows.add_row(plain(held.id), plain(held.account), plain(f"{held.at:%Y-%m-%d %H:%M}"), plain(held.amount))
        console.print()
        console.print(rows)
    if not report.currencies:
        tell("Nothing was spent.")


def _print_currency(one: CurrencyReport, *, is_now: bool) -> None:
    today = f", {one.today} of it today" if is_now else ""
    reserved = f"; {one.reserved} is reserved now" if one.reserved.amount else ""
    tell("", f"{one.currency}: {one.total} spent{today}{reserved}.")
    if one.forecast is not None:
        tell(f"{one.forecast.amount} by the end of the month, if it goes on like this. {one.forecast.explanation}")
    elif one.why_no_forecast:
        tell(one.why_no_forecast)
    for name, shares in (("provider", one.by_provider), ("account", one.by_account), ("operation", one.by_operation)):
        _print_rows((name, "calls", "spent"), [(share.name, share.calls, share.amount) for share in shares])
    days = [(day.day, day.calls, day.amount) for day in one.days if day.calls or day.amount.amount]
    _print_rows(("day", "calls", "spent"), days)
    items = [
        (
            item.action.id,
            item.action.title,
            f"{item.action.created_at:%Y-%m-%d}",
            charge_in_words(item.action, item.charged),
        )
        for item in one.largest
    ]
    _print_rows(("largest", "call", "requested at", "charged"), items)


def _print_rows(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    table = Table(*names, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    console.print()
    console.print(table)


def _bar(use: CapUse) -> str:
    filled = min(_WIDTH, -(-use.percent * _WIDTH // 100))
    return "█" * filled + "░" * (_WIDTH - filled)


def _facts(report: MoneyReport) -> Mapping[str, Any]:
    """Return the report as JSON values; amounts are text, so that nothing is rounded."""
    return {
        "month": f"{report.first:%Y-%m}",
        "as_of": report.as_of.isoformat(timespec="seconds"),
        "caps": [
            {
                "per": use.cap.window,
                "provider": use.cap.provider,
                "account": use.cap.account,
                "currency": use.cap.limit.currency,
                "limit": _amount(use.cap.limit),
                "spent": _amount(use.charged),
                "reserved": _amount(use.reserved_money),
                "left": _amount(use.left),
            }
            for use in report.caps
        ],
        "currencies": [_currency_facts(one) for one in report.currencies],
        "reserved": [
            {
                "id": one.id,
                "provider": one.provider,
                "account": one.account,
                "since": one.at.isoformat(timespec="seconds"),
                "amount": _amount(one.amount),
                "currency": one.amount.currency,
            }
            for one in report.reserved
        ],
    }


def _currency_facts(one: CurrencyReport) -> Mapping[str, Any]:
    forecast = one.forecast
    return {
        "currency": one.currency,
        "spent": _amount(one.total),
        "today": _amount(one.today) if one.today else None,
        "reserved": _amount(one.reserved),
        "forecast": {"amount": _amount(forecast.amount), "how": forecast.explanation} if forecast else None,
        "by_provider": [_share(share) for share in one.by_provider],
        "by_account": [_share(share) for share in one.by_account],
        "by_operation": [_share(share) for share in one.by_operation],
        "by_day": [
            {"day": day.day.isoformat(), "calls": day.calls, "amount": _amount(day.amount)}
            for day in one.days
            if day.calls or day.amount.amount
        ],
        "largest": [
            {
                "id": item.action.id,
                "title": item.action.title,
                "requested_at": item.action.created_at.isoformat(timespec="seconds"),
                "amount": _amount(item.charged.amount),
                "booked": item.charged.state,
            }
            for item in one.largest
        ],
    }


def _share(share: Share) -> Mapping[str, Any]:
    return {"name": share.name, "calls": share.calls, "amount": _amount(share.amount)}


def _amount(money: Any) -> str:
    """Return an amount in plain digits."""
    return f"{money.amount.normalize():f}"
