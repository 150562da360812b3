"""Enswitch's records of the use of numbers: its call records. It lists no texts by number."""

from typing import Final

from tools.enswitch.operations.calls import ListCallRecords
from tools.overview.traffic import MOST_RECORDS, TOO_MANY, Span, Traffic
from tools.overview.use_count import UseCount, count_uses
from tools.overview.views import TooLong, read_every_page
from tools.policy_reader import Reader

NO_TEXTS: Final = "Enswitch's documented calls list no texts by number"
PAGE: Final = 500
EVERYBODY: Final = "recursive"
"""Records of the customers below, too; named for lists of calls (guide 4.4)."""


async def read_calls(reader: Reader, span: Span) -> Traffic:
    """Return what the call records show, a leg each, in Enswitch's order."""

    async def read(count: UseCount) -> None:
        call = ListCallRecords(since=span.read_from, until=span.until, customer=EVERYBODY, limit=PAGE)
        rows = await read_every_page(reader, call, lambda page: page.calls, most=MOST_RECORDS)
        for row in rows:
            count.add(row.started, row.snumber, row.cnumber, row.dnumber)
        if len(rows) >= MOST_RECORDS:
            raise TooLong(TOO_MANY)

    return await count_uses("calls", span, read)
