"""Routee's records of the use of numbers: calls, and the messages of seven days."""

from datetime import timedelta
from typing import Final

from tools.overview.traffic import MOST_RECORDS, TOO_MANY, Span, Traffic
from tools.overview.use_count import UseCount, count_uses
from tools.overview.views import TooLong, read_every_page
from tools.policy_reader import Reader
from tools.routee.operations.sms import ListMessages
from tools.routee.operations.voice_campaigns import ListCalls

LOOKS_BACK: Final = timedelta(days=7) - timedelta(minutes=10)
"""Routee searches the latest 7 days only, by its own clock."""

PAGE: Final = 500
ONLY_CALLS_MADE: Final = "that Routee lists calls which came in is not documented"


async def read_calls(reader: Reader, span: Span) -> Traffic:
    """Return what the list of calls shows. It is documented for calls that the account made."""

    async def read(count: UseCount) -> None:
        call = ListCalls(since=span.read_from, until=span.until, limit=PAGE)
        rows = await read_every_page(reader, call, lambda page: page.calls, most=MOST_RECORDS)
        for row in rows:
            at = row.status.date or row.status.updated_date if row.status else None
            count.add(at, row.caller, row.called)
        if len(rows) >= MOST_RECORDS:
            raise TooLong(TOO_MANY)

    return await count_uses("calls", span, read, not_shown=ONLY_CALLS_MADE)


async def read_texts(reader: Reader, span: Span) -> Traffic:
    """Return what the list of messages shows, which has those of the latest seven days."""

    async def read(count: UseCount) -> None:
        since = max(span.read_from, span.until - LOOKS_BACK)
        call = ListMessages(since=since, until=span.until, limit=PAGE)
        rows = await read_every_page(reader, call, lambda page: page.messages, most=MOST_RECORDS)
        for row in rows:
            at = row.received_date or (row.status.date or row.status.updated_date if row.status else None)
            count.add(at, row.sender, row.to)
        if len(rows) >= MOST_RECORDS:
            raise TooLong(TOO_MANY)

    return await count_uses("texts", span, read, not_shown=why_too_short(span))


def why_too_short(span: Span) -> str | None:
    """Return what the messages of seven days do not show of a longer time; None where they reach."""
    return None if span.until - span.since <= LOOKS_BACK else "Routee shows the messages of the latest 7 days only"
