"""Stores fingerprints of the text from outside that a principal has read, for every process on the store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from guard.action import Principal
from guard.errors import JournalUnavailable
from guard.injection.taint import fingerprints_of_arguments, fingerprints_of_source, numbers_in_arguments, texts_in
from server.store.engine import Database
from server.store.schema import stranger_words

KEPT_FOR = timedelta(days=7)
PRUNED_EVERY = timedelta(hours=1)
_AT_ONCE = 500


class StoredTaint:
    """Implements `guard.rules.checks.Taint`; what cannot be stored is kept in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._prune_next = datetime.min.replace(tzinfo=UTC)

    async def remember(self, principal: Principal, texts: Iterable[str], *, source: str) -> None:
        """Store the fingerprints of texts that this principal has read."""
        found = fingerprints_of_source(texts)
        now = datetime.now(UTC)
        rows = [{"principal": principal.name, "word": word, "source": source, "at": now} for word in sorted(found)]
        try:
            await self._database.write(lambda connection: self._store(connection, rows, now), best_effort=True)
        except JournalUnavailable:
            self._here[principal.name] |= dict.fromkeys(found, source)

    def _store(self, connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
        if now >= self._prune_next:
            connection.execute(delete(stranger_words).where(stranger_words.c.at < now - KEPT_FOR))
            self._prune_next = now + PRUNED_EVERY
        if rows:
            _upsert(connection, rows)

    async def found_in(self, principal: Principal, arguments: dict[str, Any], *, ours: Collection[str]) -> str | None:
        """Return the source of the outside text that the arguments repeat, or None if they repeat none.

        `ours` are numbers that the call is made from: outsiders know them, so repeating them means nothing.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        wanted = fingerprints_of_arguments(texts_in(arguments)) - numbers_in_arguments(ours)
        here = self._here[principal.name]
        for trace in wanted:
            if trace in here:
                return here[trace]
        return await self._database.read(lambda connection: _first_known(connection, principal, sorted(wanted)))


def _first_known(connection: Connection, principal: Principal, wanted: Sequence[str]) -> str | None:
    """Return the source of the first fingerprint that this principal has read, or None."""
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(stranger_words.c.source).where(
            stranger_words.c.principal == principal.name,
            stranger_words.c.word.in_(wanted[start : start + _AT_ONCE]),
        )
        if (source := connection.execute(query.limit(1)).scalar()) is not None:
            return str(source)
    return None


def _upsert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add fingerprints; known ones are kept for another week. The write lock keeps other processes out."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    adding = insert(stranger_words)
    again = adding.on_conflict_do_update(
        index_elements=["principal", "word"], set_={"at": adding.excluded.at, "source": adding.excluded.source}
    )
    connection.execute(again, rows)
