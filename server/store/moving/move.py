"""Moves a record to an empty store: closes the one, and opens the other once it holds the same.

At no moment may servers work on both, because caps would then allow twice what they say. So the old store is closed
before its first row is read, and the new one is open only once all is there and verified. The old one stays closed.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from server.store import schema
from server.store.closing.marks import MOVED, read_mark
from server.store.engine import for_reading, make_engine
from server.store.key_values import drop_value, get_value, put_value
from server.store.moving.address import VERSION, Address, CannotCopy
from server.store.moving.copying import forget_copy, forget_progress, require_ours, writing
from server.store.moving.rows import MOVE, continue_numbers
from server.store.private_files import create_database_file
from server.store.processes import is_gone
from server.store.sealed.audit import Entry
from server.store.store import Store

ARRIVED: Final = "move arrived"
"""The name under which a store holds the id of the copy that made it."""

STILL_SENDING: Final = timedelta(minutes=10)
"""A call of a process that cannot be looked at, because it is elsewhere, counts as under way for so long."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a closed store knows of the copy that it was closed for."""

    copy_id: str
    is_verified: bool
    """True from before the other store is opened, for good: only then may servers work there."""

    tables: str
    """The version of the tables of both stores: that of the Ringfence that began the copy."""

    @property
    def is_of_this_version(self) -> bool:
        """True if this version of Ringfence began the copy, or one with the same tables."""
        return self.tables == schema.HEAD


async def close_for_move(store: Store, to: Address, *, by: str, now: datetime) -> str:
    """Close a store, so that no server writes into it any more, and return the id of the copy that may follow.

    A call is either on the record before, and then has its outcome there too, or it is refused before it is sent.

    Raises:
        CannotCopy: A call is being sent.
        JournalUnavailable: Nothing was written.
    """
    copy_id = secrets.token_hex(16)

    def close(entry: Entry) -> None:
        connection = entry.connection
        if connection.dialect.name == "postgresql":
            # Waits for every transaction that looked at the version before: what it writes has to be copied, too.
            connection.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        require_nothing_under_way(connection, now)
        _put_move(connection, to, copy_id, is_verified=False)
        store.audit.append(entry, "record moved", principal=by, detail={"to": to.name})
        _mark(connection, MOVED)

    await store.audit.write(close, needs_whole_log=True)
    return copy_id


def require_nothing_under_way(connection: Connection, now: datetime) -> None:
    """Refuse to go on while calls are being sent, in a store of any version.

    They are not waited for: the process that sends them works on this store, and has to be stopped in any case.

    Raises:
        CannotCopy: Their ids.
    """
    if calls := _calls_under_way(connection, now):
        raise CannotCopy(
            f"These calls are being sent, and their outcomes would be lost: {', '.join(calls)}. Nothing was changed. "
            "Stop the servers once they are done, and copy again."
        )


def move_of(source: Address, to: Address) -> Move:
    """Return the copy that a closed store was closed for.

    Raises:
        CannotCopy: It was closed for a copy to somewhere else.
    """
    engine = make_engine(source.url)
    try:
        with for_reading(engine).begin() as connection:
            return _move_in(connection, source, to)
    finally:
        engine.dispose()


def is_there(to: Address, copy_id: str) -> bool:
    """Return True if a store can be read and was opened as the whole copy, whatever happened to it since."""
    try:
        if to.version() is None:
            return False
        engine = make_engine(to.url)
        try:
            with for_reading(engine).begin() as connection:
                return get_value(connection, ARRIVED) == copy_id
        finally:
            engine.dispose()
    except (SQLAlchemyError, OSError, CannotCopy):
        return False


def open_copy(to: Address, source: Address, copy_id: str) -> None:
    """Open the new store to servers. The old one learns first that this is about to happen, and so stays closed.

    Raises:
        CannotCopy: The copy was given up, or finished by another process.
    """
    with writing(source) as connection:
        if _move_in(connection, source, to).copy_id != copy_id:
            raise CannotCopy("The copy was given up meanwhile. The new store stays closed.")
        _put_move(connection, to, copy_id, is_verified=True)
    with writing(to) as connection:
        require_ours(connection, to, copy_id)
        continue_numbers(connection)
        drop_value(connection, MOVE)  # earlier versions copied it
        put_value(connection, ARRIVED, copy_id)
        forget_progress(connection)
        _mark(connection, schema.HEAD)
    if (file := to.file) is not None and (source.file is None or Path(f"{source.file}-worker").exists()):
        create_database_file(Path(f"{file}-worker"))  # by it a server knows at its start that plans may be due


async def give_up(store: Store, source: Address, to: Address, *, is_lost: bool, by: str) -> None:
    """Open the old store again, with the tables that it has, whatever version of Ringfence began the copy.

    A copy that is not open yet can never be opened then; one that was opened has to be lost. `store` is the old one,
    opened under its mark.

    Raises:
        CannotCopy: The copy was opened, so that servers may have worked on it.
        JournalUnavailable: Nothing was written.
    """

    def reopen(entry: Entry) -> None:
        connection = entry.connection
        move = _move_in(connection, source, to)
        if move.is_verified and not forget_copy(to, move.copy_id) and (not is_lost or is_there(to, move.copy_id)):
            raise CannotCopy(
                f"The copy in {to.name} is finished, and servers may have worked on it: with two records, caps would "
                "allow twice what they say. Nothing was changed. To go back, copy it from there into an empty store. "
                "If that store is lost, so that nobody can use it, add --lost."
            )
        drop_value(connection, MOVE)
        store.audit.append(entry, "record reopened", principal=by, detail={"to": to.name})
        _mark(connection, move.tables)

    await store.audit.write(reopen)


def _put_move(connection: Connection, to: Address, copy_id: str, *, is_verified: bool) -> None:
    put_value(connection, MOVE, json.dumps({"id": copy_id, "to": to.name, "is_verified": is_verified}))


def _move_in(connection: Connection, source: Address, to: Address) -> Move:
    stored: dict[str, Any] = json.loads(get_value(connection, MOVE) or "{}")
    mark = read_mark(connection.execute(VERSION).scalar())
    if mark is None or not mark.is_moved or stored.get("to") != to.name:
        raise CannotCopy(
            f"{source.name} is closed for a copy to {stored.get('to')}, not to {to.name}. Nothing was changed. "
            "Name that one to go on with an unfinished copy; a finished one is copied from there."
        )
    return Move(str(stored["id"]), bool(stored["is_verified"]), mark.tables)


def _calls_under_way(connection: Connection, now: datetime) -> Sequence[str]:
    """Return the calls whose process runs, or may run."""
    actions = schema.actions.c
    query = select(actions.id, actions.owner, actions.sent_at).where(actions.state == "sending").order_by(actions.id)
    found: list[str] = []
    for row in connection.execute(query):
        gone = is_gone(row.owner)
        if gone is False or (gone is None and row.sent_at is not None and now - row.sent_at < STILL_SENDING):
            found.append(row.id)
    return found


def _mark(connection: Connection, version: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
