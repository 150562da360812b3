"""Remembers, for every process on the store, what strangers wrote and a principal was shown."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from guard.action import Principal
from guard.errors import JournalUnavailable
from guard.taint import marks, texts_in
from server.store.database import Database
from server.store.schema import stranger_words

KEPT_FOR = timedelta(days=7)
_AT_ONCE = 500


class StoredTaint:
    """Implements `guard.conditions.Taint`. What cannot be stored is at least remembered in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here: defaultdict[str, dict[str, str]] = defaultdict(dict)

    async def remember(self, principal: Principal, texts: Iterable[str], *, source: str) -> None:
        """Keep the marks of texts that this principal was shown."""
        found = marks(texts)
        self._here[principal.name] |= dict.fromkeys(found, source)
        with suppress(JournalUnavailable):
            now = datetime.now(UTC)
            async with self._database.transaction() as connection:
                new = found - set(await _known(connection, principal, found))
                rows = [{"principal": principal.name, "word": word, "source": source, "at": now} for word in new]
                await connection.execute(delete(stranger_words).where(stranger_words.c.at < now - KEPT_FOR))
                if rows:
                    await connection.execute(insert(stranger_words), rows)

    async def found_in(self, principal: Principal, arguments: dict[str, Any]) -> str | None:
        wanted = marks(texts_in(arguments))
        here = self._here[principal.name]
        for mark in wanted:
            if mark in here:
                return here[mark]
        async with self._database.reading() as connection:
            return next(iter((await _known(connection, principal, wanted)).values()), None)


async def _known(connection: AsyncConnection, principal: Principal, found: set[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    wanted = sorted(found)
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(stranger_words.c.word, stranger_words.c.source).where(
            stranger_words.c.principal == principal.name,
            stranger_words.c.word.in_(wanted[start : start + _AT_ONCE]),
        )
        known |= {str(word): str(source) for word, source in (await connection.execute(query)).all()}
    return known
