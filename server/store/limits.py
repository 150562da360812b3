"""Rate limits and the response cache, shared by every process on a store: some providers allow few calls an hour.

They save calls and do not protect anything: without a usable store, reads continue with what this process knows.
"""

import time
from contextlib import suppress
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from clients.shared.cache import CachedAnswer
from clients.shared.limits import Limit, ProcessLimits, limit_reached, seconds_exhausted
from guard.errors import JournalUnavailable
from server.store.engine import Database
from server.store.schema import cached_answers, limit_uses
from server.store.sealed.seal import Seal
from server.store.transactions.locks import Locks
from server.store.transactions.statements import Statement

_OF_LIMIT = limit_uses.c.name == bindparam("of_limit")
_USES = Statement(select(limit_uses.c.at).where(_OF_LIMIT, limit_uses.c.at > bindparam("since")))
_FORGET_USES = Statement(delete(limit_uses).where(_OF_LIMIT, limit_uses.c.at <= bindparam("since")))
_ADD_USE = Statement(insert(limit_uses))

_SAME = (cached_answers.c.account == bindparam("of_account")) & (cached_answers.c.name == bindparam("named"))
_CACHED = Statement(select(cached_answers).where(_SAME))
_DROP_CACHED = Statement(delete(cached_answers).where(_SAME))
_ADD_CACHED = Statement(insert(cached_answers))
_MARK_STALE = Statement(
    update(cached_answers).where(cached_answers.c.account == bindparam("of_account")).values(is_stale=True)
)


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of a limit."""

    calls: int
    """Calls that are possible now."""

    wait: float
    """Seconds until another one is possible where none is left, and until all are otherwise; 0 if none was made."""


class StoredLimits:
    """Implements `clients.shared.limits.Limits`: counts in the store and in this process.

    The count of this process is used while the store cannot be.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here = ProcessLimits()

    async def take(self, limit: Limit) -> None:
        """Count one call, in this process alone if the store cannot be used.

        Raises:
            LimitReached: The call would be one too many; nothing was counted.
        """
        self._here.require_room(limit)
        try:
            await self._take_shared(limit)
        except JournalUnavailable:
            await self._here.take(limit)
        else:
            # Only now: a call that the store refuses is not sent, so it uses up nothing.
            self._here.count(limit)

    async def left(self, limit: Limit) -> Room:
        """Return what all processes together left of a limit; nothing is counted."""
        start = time.time() - limit.seconds
        query = select(limit_uses.c.at).where(limit_uses.c.name == limit.name, limit_uses.c.at > start)
        uses = sorted((float(row["at"]) for row in await self._database.fetch(query)), reverse=True)[: limit.calls]
        last = uses[-1] if len(uses) >= limit.calls else max(uses, default=start)
        return Room(limit.calls - len(uses), last - start)

    async def exhaust(self, limit: Limit, *, seconds: float | None) -> None:
        """Count the limit as used up for every process; for this one alone if the store cannot be used."""
        await self._here.exhaust(limit, seconds=seconds)
        # As many calls as the limit allows, made so long ago that they leave its window when the wait is over.
        made_at = time.time() - limit.seconds + seconds_exhausted(limit, seconds)
        uses = [{"name": limit.name, "at": made_at}] * limit.calls
        with suppress(JournalUnavailable):
            await self._database.write(
                lambda connection: _ADD_USE.run_for_each(connection, uses),
                best_effort=True,
                locks=Locks.on(f"limit {limit.name}"),
            )

    async def _take_shared(self, limit: Limit) -> None:
        locks = Locks.on(f"limit {limit.name}")
        wait = await self._database.write(lambda connection: _take(connection, limit), best_effort=True, locks=locks)
        if wait is not None:
            raise limit_reached(limit, retry_after=wait)


class StoredCache:
    """Implements `clients.shared.cache.AnswerCache`; answers are encrypted, because they contain personal data."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        """Return the cached answer; None if there is none, or if the store or its key cannot be used."""
        with suppress(JournalUnavailable, InvalidToken):
            for row in await self._database.find(_CACHED, {"of_account": account, "named": name}):
                return CachedAnswer(self._seal.open(row["sealed"]), row["at"], is_stale=row["is_stale"])
        return None

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        """Encrypt an answer and store it in place of the earlier one; do nothing if the store cannot be used."""
        with suppress(JournalUnavailable):
            values = {
                "account": account,
                "name": name,
                "at": answer.at,
                "is_stale": answer.is_stale,
                "sealed": self._seal.close(answer.raw),
            }

            def replace(connection: Connection) -> None:
                _DROP_CACHED.run(connection, {"of_account": account, "named": name})
                _ADD_CACHED.run(connection, values)

            await self._database.write(replace, best_effort=True, locks=_locks_on_answers(account))

    async def mark_stale(self, account: str) -> None:
        """Mark every cached answer of an account as stale; do nothing if the store cannot be used."""
        with suppress(JournalUnavailable):
            await self._database.write(
                lambda connection: _MARK_STALE.run(connection, {"of_account": account}),
                locks=_locks_on_answers(account),
            )


def _locks_on_answers(account: str) -> Locks:
    return Locks.on(f"cached answers of {account}")


def _take(connection: Connection, limit: Limit) -> float | None:
    """Count one call; return after how many seconds the next is possible if this one is not."""
    now = time.time()
    start = now - limit.seconds
    earlier = {"of_limit": limit.name, "since": start}
    uses = (float(row["at"]) for row in _USES.all(connection, earlier))
    newest = sorted(uses, reverse=True)[: limit.calls]
    if len(newest) >= limit.calls:
        return newest[-1] - start
    _FORGET_USES.run(connection, earlier)
    _ADD_USE.run(connection, {"name": limit.name, "at": now})
    return None
