"""Stores fingerprints of the text from outside that a principal has read, for every process on the store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

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
from server.store.transactions.locks import Locks
from server.store.transactions.statements import Lookup

KEPT_FOR = timedelta(days=7)
PRUNED_EVERY = timedelta(hours=1)
_KNOWN = Lookup(
    select(stranger_words.c.word, stranger_words.c.source, stranger_words.c.at).where(
        stranger_words.c.principal == bindparam("of")
    ),
    stranger_words.c.word,
)


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
            await self._database.write(
                lambda connection: self._store(connection, rows, now),
                best_effort=True,
                locks=Locks.on("words from outside"),
            )
        except JournalUnavailable:
            self._here[principal.name] |= dict.fromkeys(found, OutsideSource(source, now))

    def _store(self, connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
        if now >= self._prune_next:
            connection.execute(delete(stranger_words).where(stranger_words.c.at < now - KEPT_FOR))
            self._prune_next = now + PRUNED_EVERY
        if rows:
            _upsert(connection, rows)

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
        every = sorted({FLOOD}.union(*wanted.values()))
        known = await self._database.read(
            lambda connection: _find_known(connection, principal, every), at_one_moment=False
        )
        known |= self._here[principal.name]
        if FLOOD in known:
            return dict.fromkeys(arguments or {"the call": None}, known[FLOOD])
        hits = {name: [known[trace] for trace in traces if trace in known] for name, traces in wanted.items()}
        return {name: sources[0] for name, sources in hits.items() if sources}


def _find_known(connection: Connection, principal: Principal, traces: Sequence[str]) -> dict[str, OutsideSource]:
    """Return where each of the fingerprints was read, of those that this principal has read."""
    found = _KNOWN.all(connection, traces, {"of": principal.name})
    return {row["word"]: OutsideSource(row["source"], row["at"]) for row in found}


def _upsert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add fingerprints; known ones are kept for another week. The write lock keeps other processes out."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    adding = insert(stranger_words)
    again = adding.on_conflict_do_update(
        index_elements=["principal", "word"], set_={"at": adding.excluded.at, "source": adding.excluded.source}
    )
    connection.execute(again, rows)
