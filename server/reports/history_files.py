"""The history as CSV and as JSON lines, one call a line, in the same columns on the page and on the command line."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from guard.injection.sanitize import escape_invisible
from server.store.reports.history import Entry
from server.store.reports.spending import charge_in_words

STARTS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet takes a cell that begins so for a formula, which may send data away or run a program.

The last four are the full-width forms of the first, which some spreadsheets read alike.
"""

COLUMNS: Final = (
    "id", "requested_at", "state", "provider", "account", "operation", "title", "requested_by", "decided_by",
    "decided_at", "finished_at", "quoted", "charged", "currency", "booked", "outcome", "plan", "step", "arguments",
)  # fmt: skip


def csv_line(cells: Mapping[str, Any]) -> str:
    """Return a row as a line of CSV, of cells that no spreadsheet takes for a formula."""
    return _joined([_cell(cells[name]) for name in COLUMNS])


def csv_head() -> str:
    """Return the line with the names of the columns."""
    return _joined(list(COLUMNS))


def json_line(cells: Mapping[str, Any]) -> str:
    """Return a row as a line of JSON, in plain ASCII, so that nothing in it drives a terminal."""
    return json.dumps(dict(cells), separators=(",", ":")) + "\n"


async def lines(entries: AsyncIterator[Entry], line: Callable[[Mapping[str, Any]], str]) -> AsyncIterator[str]:
    """Write entries one by one."""
    async for entry in entries:
        yield line(cells_of(entry))


def cells_of(entry: Entry) -> Mapping[str, Any]:
    """Return the cells of a row, by their columns; amounts and times are text, so that nothing is rounded."""
    action, charged, place = entry.action, entry.charged, entry.place
    most = action.quote.most
    money = charged.amount if charged else most
    return {
        "id": action.id,
        "requested_at": action.created_at.isoformat(timespec="seconds"),
        "state": action.state.value,
        "provider": action.provider,
        "account": action.made_on,
        "operation": action.operation,
        "title": action.title,
        "requested_by": action.principal,
        "decided_by": action.decided_by,
        "decided_at": action.decided_at.isoformat(timespec="seconds") if action.decided_at else None,
        "finished_at": action.finished_at.isoformat(timespec="seconds") if action.finished_at else None,
        "quoted": f"{most.amount:f}" if most else None,
        "charged": f"{charged.amount.amount.normalize():f}" if charged and charged.state != "released" else None,
        "currency": money.currency if money else None,
        "booked": _booked(entry),
        "outcome": action.outcome,
        "plan": place.plan_id if place else None,
        "step": place.position if place else None,
        "arguments": dict(action.arguments),
    }


def _booked(entry: Entry) -> str:
    """Say how the amount stands: settled, held, released; nothing or unknown where none is booked."""
    return entry.charged.state if entry.charged else charge_in_words(entry.action, None)


def _cell(value: Any) -> str:
    """Return a value as the text of one cell, on one line, that is read as text."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = escape_invisible(text)
    return f"'{shown}" if text.startswith(STARTS_FORMULA) or shown.startswith(STARTS_FORMULA) else shown


def _joined(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
