"""Operators, their passkeys, and the links by which they enrol one."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from guard.operators.roles import LOCAL, BadOperator, Operator, Role, require_name
from server.store.engine import Database
from server.store.schema import enrolments, operator_sessions, operators, passkeys
from server.store.sealed.audit import Audit, Entry

LINK_LIFETIME: Final = timedelta(hours=24)
"""How long an enrolment link works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """The public half of an authenticator's key, and for whom it was enrolled."""

    id: str
    """In URL-safe base64, as the browser names it."""

    operator: str
    public_key: str
    """COSE key, in URL-safe base64."""

    sign_count: int
    """How often it signed, as far as the authenticator counts; a smaller number later is a copy."""

    rp_id: str
    """Host name of the page on which it was enrolled, and on which alone it works."""

    label: str
    created_at: datetime
    used_at: datetime | None = None
    removed_at: datetime | None = None

    @property
    def facts(self) -> Mapping[str, str]:
        """What the audit log says of it: enough to check later what it signed."""
        return {"passkey": self.id, "public_key": self.public_key, "rp_id": self.rp_id, "operator": self.operator}


class StoredOperators:
    """Adds, changes and finds operators; each change has its row on the audit log."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def find(self, name: str) -> Operator | None:
        """Return the operator of this name; the local one is always there."""
        return await self._database.read(lambda connection: find_operator(connection, name))

    async def find_subject(self, subject: str) -> Operator | None:
        """Return the operator who has this subject at the company's identity provider."""

        def read(connection: Connection) -> Operator | None:
            row = connection.execute(select(operators).where(operators.c.subject == subject)).mappings().first()
            return _operator_of(dict(row)) if row else None

        return await self._database.read(read)

    async def all(self) -> list[Operator]:
        """Return all operators, by name, the local one first."""

        def read(connection: Connection) -> list[Operator]:
            rows = connection.execute(select(operators).order_by(operators.c.name)).mappings().all()
            found = [_operator_of(dict(row)) for row in rows]
            local = [one for one in found if one.is_local] or [_LOCAL]
            return [*local, *(one for one in found if not one.is_local)]

        return await self._database.read(read)

    async def add(self, name: str, role: Role, *, by: str, at: datetime, subject: str | None = None) -> Operator:
        """Add an operator.

        Raises:
            BadOperator: The name is none, or is taken.
        """
        require_name(name)
        added = Operator(name=name, role=role, created_at=at, created_by=by, subject=subject)

        def store(entry: Entry) -> Operator:
            if find_operator(entry.connection, name) is not None:
                raise BadOperator(f"There is an operator {name} already; nothing was changed.")
            entry.connection.execute(insert(operators).values(_row_of(added)))
            self._audit.append(entry, "operator added", principal=by, detail={"operator": name, "role": role.value})
            return added

        return await self._audit.write(store)

    async def set_role(self, name: str, role: Role, *, by: str, at: datetime) -> Operator:
        """Give an operator another role.

        Raises:
            BadOperator: There is no such operator.
        """
        return await self._change(name, "operator role", {"role": role.value}, by=by, at=at)

    async def disable(self, name: str, *, by: str, at: datetime) -> Operator:
        """Disable an operator: sessions end, links no longer work, and what is approved but not sent counts no more.

        Raises:
            BadOperator: There is no such operator.
        """
        return await self._change(name, "operator disabled", {"disabled_at": at, "disabled_by": by}, by=by, at=at)

    async def enable(self, name: str, *, by: str, at: datetime) -> Operator:
        """Let an operator who was disabled sign in again.

        Raises:
            BadOperator: There is no such operator.
        """
        return await self._change(name, "operator enabled", {"disabled_at": None, "disabled_by": None}, by=by, at=at)

    async def _change(self, name: str, event: str, changes: Mapping[str, Any], *, by: str, at: datetime) -> Operator:
        def store(entry: Entry) -> Operator:
            connection = entry.connection
            found = find_operator(connection, name)
            if found is None:
                raise BadOperator(f"There is no operator {name}; nothing was changed.")
            if found.created_at is None:  # the local one, as it always was
                connection.execute(insert(operators).values({**_row_of(found), "created_at": at, "created_by": by}))
            connection.execute(update(operators).where(operators.c.name == name).values(changes))
            if changes.get("disabled_at"):
                _end_sessions(connection, name, at)
                unused = (enrolments.c.operator == name) & enrolments.c.used_at.is_(None)
                connection.execute(update(enrolments).where(unused).values(used_at=at))
            detail = {"operator": name} | ({"role": changes["role"]} if "role" in changes else {})
            self._audit.append(entry, event, principal=by, detail=detail)
            changed = find_operator(connection, name)
            return changed or found

        return await self._audit.write(store)

    async def open_enrolment(self, name: str, *, by: str, at: datetime) -> str:
        """Return the secret of a link by which an operator enrols a passkey, once; links made before end.

        Raises:
            BadOperator: There is no such operator, it is disabled, or it is the local one.
        """
        secret = secrets.token_urlsafe(32)

        def store(entry: Entry) -> str:
            connection = entry.connection
            found = find_operator(connection, name)
            if found is None or not found.is_enabled or found.is_local:
                raise BadOperator(f"There is no operator {name} who could enrol a passkey; nothing was changed.")
            earlier = enrolments.c.operator == name
            connection.execute(update(enrolments).where(earlier, enrolments.c.used_at.is_(None)).values(used_at=at))
            row = {"digest": _digest(secret), "operator": name, "created_at": at, "expires_at": at + LINK_LIFETIME}
            connection.execute(insert(enrolments).values(row))
            self._audit.append(entry, "enrolment opened", principal=by, detail={"operator": name})
            return secret

        return await self._audit.write(store)

    async def enrolling(self, secret: str, at: datetime) -> Operator | None:
        """Return the operator whose link this is, if it still works."""
        return await self._database.read(lambda connection: _enrolling(connection, secret, at))

    async def enrol(self, secret: str, passkey: Passkey, *, at: datetime) -> Operator:
        """Store a passkey and use its link up, in one transaction.

        Raises:
            BadOperator: The link was used, is too old or unknown, or the passkey is enrolled already.
        """

        def store(entry: Entry) -> Operator:
            connection = entry.connection
            found = _enrolling(connection, secret, at)
            if found is None or found.name != passkey.operator:
                raise BadOperator("This link was used, or its time is over. Ask for a new one; nothing was changed.")
            if connection.execute(select(passkeys.c.id).where(passkeys.c.id == passkey.id)).first() is not None:
                raise BadOperator("This passkey is enrolled already; nothing was changed.")
            connection.execute(update(enrolments).where(enrolments.c.digest == _digest(secret)).values(used_at=at))
            row = {name: getattr(passkey, name) for name in passkeys.columns.keys()}  # noqa: SIM118 - no dict
            connection.execute(insert(passkeys).values(row))
            self._audit.append(entry, "passkey enrolled", principal=found.on_page, detail=passkey.facts)
            return found

        return await self._audit.write(store)

    async def passkeys_of(self, name: str) -> list[Passkey]:
        """Return the passkeys of an operator that were not removed."""
        query = select(passkeys).where(passkeys.c.operator == name, passkeys.c.removed_at.is_(None))
        found = [Passkey(**row) for row in await self._database.fetch(query)]
        return sorted(found, key=lambda one: one.created_at)

    async def passkey(self, passkey_id: str) -> Passkey | None:
        """Return a passkey that was not removed."""
        query = select(passkeys).where(passkeys.c.id == passkey_id, passkeys.c.removed_at.is_(None))
        rows = await self._database.fetch(query)
        return Passkey(**rows[0]) if rows else None

    async def has_passkeys(self) -> bool:
        """Return True if any operator can sign in with a passkey."""
        query = select(passkeys.c.id).where(passkeys.c.removed_at.is_(None)).limit(1)
        return bool(await self._database.fetch(query))

    async def all_passkeys(self) -> Sequence[Passkey]:
        """Return every passkey that was ever enrolled, to check what it signed."""
        return [Passkey(**row) for row in await self._database.fetch(select(passkeys))]

    async def count_use(self, passkey: Passkey, sign_count: int, at: datetime) -> bool:
        """Record that a passkey signed; False if its count did not rise meanwhile, so that this is a copy or a replay.

        Authenticators that do not count always say zero.
        """
        rises = (passkeys.c.sign_count < sign_count) if sign_count else (passkeys.c.sign_count == 0)
        query = update(passkeys).where(passkeys.c.id == passkey.id, passkeys.c.removed_at.is_(None), rises)
        counted = query.values(sign_count=sign_count, used_at=at)
        return await self._database.write(lambda connection: connection.execute(counted).rowcount) > 0

    async def remove_passkey(self, passkey_id: str, *, by: str, at: datetime) -> Passkey:
        """Remove a passkey and end its operator's sessions; what it signed can still be checked.

        A session that outlived the last passkey would approve without any signature.

        Raises:
            BadOperator: There is none with this id, or an id that begins so.
        """

        def store(entry: Entry) -> Passkey:
            connection = entry.connection
            is_meant = passkeys.c.id.startswith(passkey_id, autoescape=True)
            query = select(passkeys).where(is_meant, passkeys.c.removed_at.is_(None))
            found = connection.execute(query).mappings().all()
            if len(found) != 1 or not passkey_id:
                raise BadOperator(f"No passkey, or more than one, has an id that begins with {passkey_id!r}.")
            removed = Passkey(**dict(found[0]))
            connection.execute(update(passkeys).where(passkeys.c.id == removed.id).values(removed_at=at))
            _end_sessions(connection, removed.operator, at)
            detail = {"passkey": removed.id, "operator": removed.operator}
            self._audit.append(entry, "passkey removed", principal=by, detail=detail)
            return removed

        return await self._audit.write(store)


_LOCAL: Final = Operator(name=LOCAL, role=Role.ADMIN)


def find_operator(connection: Connection, name: str) -> Operator | None:
    """Return the operator of this name; the local one is always there."""
    row = connection.execute(select(operators).where(operators.c.name == name)).mappings().first()
    if row is None:
        return _LOCAL if name == LOCAL else None
    return _operator_of(dict(row))


def _operator_of(row: Mapping[str, Any]) -> Operator:
    values: dict[str, Any] = {**row, "role": Role(row["role"])}
    return Operator(**values)


def _row_of(operator: Operator) -> dict[str, Any]:
    columns = operators.columns.keys()
    return {name: getattr(operator, name) for name in columns} | {"role": operator.role.value}


def _end_sessions(connection: Connection, name: str, at: datetime) -> None:
    is_open = (operator_sessions.c.operator == name) & operator_sessions.c.ended_at.is_(None)
    connection.execute(update(operator_sessions).where(is_open).values(ended_at=at))


def _enrolling(connection: Connection, secret: str, at: datetime) -> Operator | None:
    works = (enrolments.c.digest == _digest(secret)) & enrolments.c.used_at.is_(None) & (enrolments.c.expires_at > at)
    name = connection.execute(select(enrolments.c.operator).where(works)).scalar()
    found = find_operator(connection, name) if name is not None else None
    return found if found is not None and found.is_enabled else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()
