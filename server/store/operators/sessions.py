"""Sessions of operators on the page: short, listed, and ended one by one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from guard.operators.roles import Operator
from server.store.engine import Database
from server.store.operators.operators import find_operator
from server.store.schema import operator_sessions
from server.store.sealed.audit import Audit, Entry

Way = Literal["passcode", "passkey", "oidc"]
"""How an operator signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session on the page."""

    id: str
    operator: str
    via: Way
    browser: str
    """What the browser says of itself."""

    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Return True while it opens pages."""
        return self.ended_at is None and at < self.expires_at


class StoredSessions:
    """Begins, finds, lists and ends sessions."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def begin(self, session: StoredSession, *, by: str, is_new: bool = False) -> None:
        """Store a session with its row on the audit log, and forget those that expired.

        `is_new` says that nobody signed in in this browser before.
        """

        def store(entry: Entry) -> None:
            expired = operator_sessions.c.expires_at < session.created_at
            entry.connection.execute(delete(operator_sessions).where(expired))
            row = {name: getattr(session, name) for name in operator_sessions.columns.keys()}  # noqa: SIM118 - no dict
            entry.connection.execute(insert(operator_sessions).values(row))
            self._audit.append(
                entry, "signed in", principal=by, detail={"via": session.via, "browser": "new" if is_new else "known"}
            )

        await self._audit.write(store)

    async def find(self, session_id: str, at: datetime) -> tuple[StoredSession, Operator] | None:
        """Return an open session and its operator, who is enabled."""

        def read(connection: Connection) -> tuple[StoredSession, Operator] | None:
            query = select(operator_sessions).where(operator_sessions.c.id == session_id)
            row = connection.execute(query).mappings().first()
            found = StoredSession(**dict(row)) if row else None
            if found is None or not found.is_open(at):
                return None
            operator = find_operator(connection, found.operator)
            return (found, operator) if operator is not None and operator.is_enabled else None

        return await self._database.read(read)

    async def open(self, at: datetime) -> list[StoredSession]:
        """Return the sessions that are open, newest first."""
        query = select(operator_sessions).where(operator_sessions.c.expires_at > at)
        query = query.where(operator_sessions.c.ended_at.is_(None)).order_by(operator_sessions.c.created_at.desc())
        return [StoredSession(**row) for row in await self._database.fetch(query)]

    async def end(self, session_id: str, *, by: str, at: datetime) -> bool:
        """End a session everywhere, for copies of its cookie too; False if it is not open."""

        def store(entry: Entry) -> bool:
            is_meant = (operator_sessions.c.id == session_id) & operator_sessions.c.ended_at.is_(None)
            ended = entry.connection.execute(
                update(operator_sessions).where(is_meant).values(ended_at=at).returning(operator_sessions.c.operator)
            ).first()
            if ended is not None:
                self._audit.append(entry, "session ended", principal=by, detail={"operator": ended[0]})
            return ended is not None

        return await self._audit.write(store)
