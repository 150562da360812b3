"""Stores fingerprints of the text from outside that a principal has read, for every process on the store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from guard.action import Principal
from guard.errors import JournalUnavailable
from guard.injection.taint import (
    FLOOD,
    OutsideSource,
    fingerprints_of_arguments,
    fingerprints_of_source,
    texts_in,
)
from server.store.engine import Database
from server.store.schema import stranger_words

KEPT_FOR = timedelta(days=7)
PRUNED_EVERY = timedelta(hours=1)
_AT_ONCE = 500


class StoredTaint:
    """Implements `guard.rules.checks.Taint`; what cannot be stored is kept in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here: defaultdict[str, dict[str, OutsideSource]] = defaultdict(dict)
        self._prune_next = datetime.min.replace(tzinfo=UTC)

    async def remember(self, principal: Principal, texts: Iterable[str], *, source: str) -> None:
        """Store the fingerprints of texts that this principal has read."""
        found = fingerprints_of_source(texts)
        now = datetime.now(UTC)
        rows = [{"principal": principal.name, "word": word, "source": source, "at": now} for word in sorted(found)]
        try:
            async with self._database.transaction(best_effort=True) as connection:
                if now >= self._prune_next:
                    await connection.execute(delete(stranger_words).where(stranger_words.c.at < now - KEPT_FOR))
                    self._prune_next = now + PRUNED_EVERY
                if rows:
                    await _upsert(connection, rows)
        except JournalUnavailable:
            self._here[principal.name] |= dict.fromkeys(found, OutsideSource(source, now))

    async def found_in(
        self, principal: Principal, arguments: Mapping[str, Any], *, ours: Collection[str]
    ) -> Mapping[str, OutsideSource]:
        """Return where the outside text was read that each argument repeats, by the argument's name.

        `ours` are arguments, or items of lists, that are numbers of the company: outsiders know them, so repeating
        them means nothing.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        wanted = {
            name: fingerprints_of_arguments(text for text in texts_in(value) if text not in ours)
            for name, value in arguments.items()
        }
        known = await self._known(principal, {FLOOD}.union(*wanted.values())) | self._here[principal.name]
        if FLOOD in known:
            return dict.fromkeys(arguments or {"the call": None}, known[FLOOD])
        hits = {name: [known[trace] for trace in traces if trace in known] for name, traces in wanted.items()}
        return {name: sources[0] for name, sources in hits.items() if sources}

    async def _known(self, principal: Principal, wanted: Collection[str]) -> dict[str, OutsideSource]:
        known: dict[str, OutsideSource] = {}
        every = sorted(wanted)
        async with self._database.reading() as connection:
            for start in range(0, len(every), _AT_ONCE):
                query = select(stranger_words.c.word, stranger_words.c.source, stranger_words.c.at).where(
                    stranger_words.c.principal == principal.name,
                    stranger_words.c.word.in_(every[start : start + _AT_ONCE]),
                )
                rows = (await connection.execute(query)).all()
                known |= {str(word): OutsideSource(str(tool), at) for word, tool, at in rows}
        return known


async def _upsert(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add fingerprints; known ones are kept for another week. The write lock keeps other processes out."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    adding = insert(stranger_words)
    again = adding.on_conflict_do_update(
        index_elements=["principal", "word"], set_={"at": adding.excluded.at, "source": adding.excluded.source}
    )
    await connection.execute(again, rows)
