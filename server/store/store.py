"""All parts of the store over one database."""

from dataclasses import dataclass
from pathlib import Path

from server.store.actions import StoredJournal
from server.store.allowances.book import StoredAllowances
from server.store.deliveries.overview import StoredDeliveries
from server.store.engine import Database
from server.store.events import StoredEvents
from server.store.freeze import Freeze
from server.store.key_values import KeyValueStore
from server.store.limits import StoredCache, StoredLimits
from server.store.notices.outbox import StoredNotices
from server.store.operators.operators import StoredOperators
from server.store.operators.sessions import StoredSessions
from server.store.optouts import StoredOptOuts
from server.store.plans.journal import StoredPlans
from server.store.processes import StoredProcesses
from server.store.receipts.book import StoredReceipts
from server.store.reports.history import StoredHistory
from server.store.reports.spending import StoredSpending
from server.store.reports.spent import StoredSpent
from server.store.schema import HEAD
from server.store.sealed.audit import Audit
from server.store.sealed.seal import Seal
from server.store.sealed.tokens import StoredTokens
from server.store.sealed.vault import StoredVault
from server.store.sealed.verification import Verifications
from server.store.taint import StoredTaint


@dataclass(frozen=True, slots=True)
class Store:
    """The state that every process on one store shares."""

    database: Database
    journal: StoredJournal
    plans: StoredPlans
    allowances: StoredAllowances
    operators: StoredOperators
    sessions: StoredSessions
    audit: Audit
    receipts: StoredReceipts
    verifications: Verifications
    vault: StoredVault
    limits: StoredLimits
    cache: StoredCache
    key_values: KeyValueStore
    freeze: Freeze
    optouts: StoredOptOuts
    events: StoredEvents
    deliveries: StoredDeliveries
    taint: StoredTaint
    tokens: StoredTokens
    spending: StoredSpending
    spent: StoredSpent
    history: StoredHistory
    processes: StoredProcesses
    notices: StoredNotices
    seal: Seal


def open_store(address: str, folder: Path, key: str | None = None, *, version: str = HEAD) -> Store:
    """Open the store at an address; the database itself is opened on first use.

    `key` encrypts secrets and signs the audit log; without it, a key file in `folder` does. The audit anchor lies in
    `folder` too. Opening closes the folder and the files in it to other users. `version` is that of `Database`.
    """
    database = Database(address, folder, version=version)
    seal = Seal(folder, key)
    audit = Audit(database, seal, folder)
    receipts = StoredReceipts(database, audit, seal)
    key_values = KeyValueStore(database)
    return Store(
        database=database,
        journal=StoredJournal(database, audit, receipts),
        plans=StoredPlans(database, audit, receipts),
        allowances=StoredAllowances(database, audit, receipts),
        operators=StoredOperators(database, audit),
        sessions=StoredSessions(database, audit),
        audit=audit,
        receipts=receipts,
        verifications=Verifications(key_values, seal),
        vault=StoredVault(database, seal, audit),
        limits=StoredLimits(database),
        cache=StoredCache(database, seal),
        key_values=key_values,
        freeze=Freeze(key_values, audit),
        optouts=StoredOptOuts(database, audit),
        events=StoredEvents(database, audit),
        deliveries=StoredDeliveries(database),
        taint=StoredTaint(database),
        tokens=StoredTokens(key_values, seal),
        spending=StoredSpending(database),
        spent=StoredSpent(database),
        history=StoredHistory(database),
        processes=StoredProcesses(database),
        notices=StoredNotices(database),
        seal=seal,
    )
