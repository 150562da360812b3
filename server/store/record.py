"""The store's parts, put together over one database."""

from dataclasses import dataclass
from pathlib import Path

from server.store.actions import StoredJournal
from server.store.database import Database
from server.store.facts import Facts
from server.store.limits import StoredCache, StoredLimits
from server.store.vault import Seal, StoredVault


@dataclass(frozen=True, slots=True)
class Record:
    """What every process on one store shares."""

    database: Database
    journal: StoredJournal
    vault: StoredVault
    limits: StoredLimits
    cache: StoredCache
    facts: Facts
    seal: Seal


def open_record(address: str, folder: Path) -> Record:
    """The record at an address; `folder` holds the key that seals secrets. The database is opened on first use."""
    database = Database(address)
    seal = Seal(folder)
    return Record(
        database=database,
        journal=StoredJournal(database),
        vault=StoredVault(database, seal),
        limits=StoredLimits(database),
        cache=StoredCache(database, seal),
        facts=Facts(database),
        seal=seal,
    )
