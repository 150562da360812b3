"""The store's parts, put together over one database."""

from dataclasses import dataclass
from pathlib import Path

from server.store.actions import StoredJournal
from server.store.audit import Audit
from server.store.engine import Database
from server.store.events import StoredEvents
from server.store.freeze import Freeze
from server.store.key_values import KeyValueStore
from server.store.limits import StoredCache, StoredLimits
from server.store.optouts import StoredOptOuts
from server.store.spending import StoredSpending
from server.store.taint import StoredTaint
from server.store.tokens import StoredTokens
from server.store.vault import Seal, StoredVault


@dataclass(frozen=True, slots=True)
class Store:
    """What every process on one store shares."""

    database: Database
    journal: StoredJournal
    audit: Audit
    vault: StoredVault
    limits: StoredLimits
    cache: StoredCache
    key_values: KeyValueStore
    freeze: Freeze
    optouts: StoredOptOuts
    events: StoredEvents
    taint: StoredTaint
    tokens: StoredTokens
    spending: StoredSpending
    seal: Seal


def open_store(address: str, folder: Path, key: str | None = None) -> Store:
    """The record at an address. The key that seals secrets is given, or lies in `folder`, as the audit's anchor does.

    The database is opened on first use.
    """
    database = Database(address)
    seal = Seal(folder, key)
    audit = Audit(database, seal, folder)
    key_values = KeyValueStore(database)
    return Store(
        database=database,
        journal=StoredJournal(database, audit),
        audit=audit,
        vault=StoredVault(database, seal, audit),
        limits=StoredLimits(database),
        cache=StoredCache(database, seal),
        key_values=key_values,
        freeze=Freeze(key_values, audit),
        optouts=StoredOptOuts(database, audit),
        events=StoredEvents(database, audit),
        taint=StoredTaint(database),
        tokens=StoredTokens(key_values, seal),
        spending=StoredSpending(database),
        seal=seal,
    )
