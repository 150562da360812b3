"""The guard's journal, in the store."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from guard.action import Action, State
from guard.quote import Quote
from server.store.database import Database
from server.store.schema import actions

_quotes = TypeAdapter(Quote)
_OPEN = [state.value for state in State if state.is_open]


class StoredJournal:
    """Implements `guard.journal.Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, action: Action) -> Action:
        async with self._database.transaction() as connection:
            already = await _open_for(connection, action.digest)
            if already is not None:
                return already
            await connection.execute(insert(actions).values(_row(action)))
        return action

    async def find(self, action_id: str) -> Action | None:
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(actions).where(actions.c.id == action_id))).mappings().first()
        return _action(row) if row else None

    async def find_open(self, digest: str) -> Action | None:
        async with self._database.transaction() as connection:
            return await _open_for(connection, digest)

    async def move(self, action_id: str, allowed: Collection[State], to: State, **changes: Any) -> Action | None:
        moved = (
            update(actions)
            .where(actions.c.id == action_id, actions.c.state.in_([state.value for state in allowed]))
            .values(state=to.value, **changes)
            .returning(*actions.c)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(moved)).mappings().first()
        return _action(row) if row else None

    async def latest(self, limit: int, *, states: Collection[State] | None = None) -> list[Action]:
        query = select(actions).order_by(actions.c.created_at.desc()).limit(limit)
        if states is not None:
            query = query.where(actions.c.state.in_([state.value for state in states]))
        async with self._database.transaction() as connection:
            return [_action(row) for row in (await connection.execute(query)).mappings().all()]


async def _open_for(connection: AsyncConnection, digest: str) -> Action | None:
    query = select(actions).where(actions.c.digest == digest, actions.c.state.in_(_OPEN))
    row = (await connection.execute(query)).mappings().first()
    return _action(row) if row else None


def _row(action: Action) -> Mapping[str, Any]:
    quoted = _quotes.dump_python(action.quote, mode="json")
    return asdict(action) | {"quote": quoted, "state": action.state.value, "arguments": dict(action.arguments)}


def _action(row: RowMapping) -> Action:
    values: dict[str, Any] = dict(row)
    values["quote"] = _quotes.validate_python(values["quote"])
    values["state"] = State(values["state"])
    return Action(**values)
