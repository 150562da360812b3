"""Convirza's records of the use of numbers: its calls, text threads and broadcasts."""

from typing import Final

from tools.convirza.operations.broadcasts import ListBroadcasts
from tools.convirza.operations.conversations import LONGEST_RANGE, ListCalls, ListSmsConversations
from tools.overview.traffic import MOST_RECORDS, TOO_MANY, Span, Traffic
from tools.overview.use_count import UseCount, count_uses
from tools.overview.views import TooLong, read_every_page
from tools.policy_reader import Reader

PAGE: Final = 200
FOLDERS: Final = ("open", "closed")
"""The folders that together hold every thread."""


async def read_calls(reader: Reader, span: Span) -> Traffic:
    """Return what the call list shows, which is searched by ranges of 31 days at most."""

    async def read(count: UseCount) -> None:
        until, left = span.until, MOST_RECORDS
        while until > span.read_from:
            since = max(span.read_from, until - LONGEST_RANGE)
            call = ListCalls(since=since, until=until, limit=PAGE)
            rows = await read_every_page(reader, call, lambda page: page.calls, most=left)
            for row in rows:
                count.add(row.started, row.number, row.caller, row.rang)
            left -= len(rows)
            if left <= 0:
                raise TooLong(TOO_MANY)
            until = since

    return await count_uses("calls", span, read)


async def read_texts(reader: Reader, span: Span) -> Traffic:
    """Return what text threads and broadcasts show. A thread shows the time of its last change only.

    Threads are read without bounds: which of their times the bounds are compared with is not documented.
    """

    async def read(count: UseCount) -> None:
        for folder in FOLDERS:
            call = ListSmsConversations(folder=folder, limit=PAGE)
            rows = await read_every_page(reader, call, lambda page: page.conversations, most=MOST_RECORDS)
            for row in rows:
                count.add(row.updated or row.started, row.number)
            if len(rows) >= MOST_RECORDS:
                raise TooLong(TOO_MANY)
        sent = await read_every_page(reader, ListBroadcasts(limit=PAGE), lambda page: page.broadcasts, most=PAGE)
        for row in sent:
            count.add(row.sent_at or row.scheduled_at or row.created, row.from_number)

    return await count_uses("texts", span, read)
