"""Allowances and requests for them on the record; each change has its row on the audit."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from clients.phone_numbers import spellings
from guard.allowances.allowance import (
    Allowance,
    AllowanceRequest,
    CountLimit,
    MoneyLimit,
    Terms,
    Usage,
    new_allowance_id,
    new_request_id,
)
from guard.allowances.conditions import read_condition
from guard.money import Money
from guard.operators.approval import Approval
from guard.receipts.contents import content_of_allowance
from server.store.allowances.uses import counted_in
from server.store.engine import Database
from server.store.operators.approvals import detail_of
from server.store.receipts.book import StoredReceipts
from server.store.reservations import billionths
from server.store.schema import allowance_requests, allowances, events
from server.store.sealed.audit import Audit, Entry

MOST_REQUESTS: Final = 5
"""Open requests of one principal: a person reads each of them."""

_INBOUND: Final = "inbound"
_BILLION = Decimal(10) ** 9


class StoredAllowances:
    """Implements `guard.allowances.record.AllowanceRecord`, and what the operator does with allowances.

    Every method raises `JournalUnavailable` if the store cannot be used.
    """

    def __init__(self, database: Database, audit: Audit, receipts: StoredReceipts) -> None:
        self._database = database
        self._audit = audit
        self._receipts = receipts

    async def add(
        self,
        terms: Terms,
        *,
        by: str,
        at: datetime,
        request_id: str | None = None,
        approval: Approval | None = None,
    ) -> Allowance:
        """Store a new allowance; the request that it answers is closed.

        `approval` is the yes of an operator who has a passkey: its statement names the id of the allowance.
        """
        new_id = approval.statement.about if approval is not None else new_allowance_id()
        made = Allowance(id=new_id, terms=terms, created_at=at, created_by=by)

        def work(entry: Entry) -> Allowance:
            row = {**_row(terms), "id": made.id, "created_at": at, "created_by": by}
            entry.connection.execute(insert(allowances).values(row))
            if request_id is not None:
                _close(entry.connection, request_id, at)
            detail = terms.facts | {"by": by} | ({"request": request_id} if request_id else {})
            detail |= detail_of(approval) if approval is not None else {}
            self._log(entry, "allowance added", made, detail, by=by, approval=approval)
            return made

        return await self._audit.write(work, needs_whole_log=True)

    async def revoke(self, allowance_id: str, *, by: str, at: datetime) -> Allowance | None:
        """Revoke an allowance, for calls that it approved and that were not sent, too; None if there is none."""

        def work(entry: Entry) -> Allowance | None:
            found = _find(entry.connection, allowance_id)
            if found is None or found.revoked_at is not None:
                return found
            change = update(allowances).where(allowances.c.id == allowance_id)
            entry.connection.execute(change.values(revoked_at=at, revoked_by=by))
            self._log(entry, "allowance revoked", found, {"by": by}, by=by)
            return _find(entry.connection, allowance_id)

        return await self._audit.write(work)

    async def find(self, allowance_id: str) -> Allowance | None:
        """Return the allowance with this id, or None."""
        return await self._database.read(lambda connection: _find(connection, allowance_id))

    async def latest(self, limit: int) -> list[Allowance]:
        """Return up to `limit` allowances, newest first."""
        rows = await self._database.fetch(select(allowances).order_by(allowances.c.created_at.desc()).limit(limit))
        return [_allowance(row) for row in rows]

    async def in_force(self, operation: str, principal: str | None, at: datetime) -> list[Allowance]:
        """Return the allowances for an operation that stand at a time, the oldest first: of one asker, or of all."""
        query = (
            select(allowances)
            .where(allowances.c.operation == operation, allowances.c.revoked_at.is_(None), allowances.c.until > at)
            .order_by(allowances.c.created_at)
        )
        if principal is not None:
            query = query.where(allowances.c.principal == principal)
        return [_allowance(row) for row in await self._database.fetch(query)]

    async def usage(self, found: Sequence[Allowance], at: datetime) -> Mapping[str, Usage]:
        """Return what each allowance let through in its windows, by its id."""
        ids = [one.id for one in found]

        def work(connection: Connection) -> dict[str, Usage]:
            rows = connection.execute(select(allowances).where(allowances.c.id.in_(ids))).mappings().all()
            return {row["id"]: _usage(row, *counted_in(connection, row, at)) for row in rows}

        return await self._database.read(work) if ids else {}

    async def texted_us(self, numbers: Collection[str], since: datetime, until: datetime) -> frozenset[str]:
        """Return those of the numbers, in E.164, that sent this server a text between two times."""
        forms = {form: number for number in numbers for form in spellings(number)}
        if not forms:
            return frozenset()
        query = select(events.c.other_side).where(
            events.c.kind == _INBOUND,
            events.c.other_side.in_(list(forms)),
            events.c.received_at >= since,
            events.c.received_at <= until,
        )
        return frozenset(forms[row["other_side"]] for row in await self._database.fetch(query.distinct()))

    async def request(self, terms: Terms, reason: str, at: datetime) -> AllowanceRequest | None:
        """Store a request; None if the principal has as many open ones as may be. The same one again is one."""
        made = AllowanceRequest(id=new_request_id(), terms=terms, reason=reason, created_at=at)

        def work(entry: Entry) -> AllowanceRequest | None:
            waiting = _requests(entry.connection, allowance_requests.c.principal == terms.principal)
            same = next((one for one in waiting if _is_same(one.terms, terms)), None)
            if same is not None or len(waiting) >= MOST_REQUESTS:
                return same
            row = _row(terms) | {"id": made.id, "reason": reason, "created_at": at}
            row.pop("note")
            entry.connection.execute(insert(allowance_requests).values(row))
            self._audit.append(
                entry,
                "allowance requested",
                action_id=made.id,
                principal=terms.principal,
                detail=terms.facts | {"reason": reason},
            )
            return made

        return await self._audit.write(work)

    async def requests(self) -> list[AllowanceRequest]:
        """Return the open requests, the oldest first."""
        return await self._database.read(lambda connection: _requests(connection))

    async def find_request(self, request_id: str) -> AllowanceRequest | None:
        """Return an open request, or None."""
        found = await self._database.read(
            lambda connection: _requests(connection, allowance_requests.c.id == request_id)
        )
        return found[0] if found else None

    async def dismiss(self, request_id: str, *, by: str, at: datetime) -> bool:
        """Close a request without an allowance; False if none of this id is open."""

        def work(entry: Entry) -> bool:
            found = _requests(entry.connection, allowance_requests.c.id == request_id)
            if not found:
                return False
            _close(entry.connection, request_id, at)
            principal = found[0].terms.principal
            self._audit.append(
                entry, "allowance not given", action_id=request_id, principal=principal, detail={"by": by}
            )
            return True

        return await self._audit.write(work)

    def _log(
        self,
        entry: Entry,
        event: str,
        allowance: Allowance,
        detail: Mapping[str, Any],
        *,
        by: str,
        approval: Approval | None = None,
    ) -> None:
        """Add the audit row of an allowance and its receipt."""
        row = self._audit.append(
            entry, event, action_id=allowance.id, principal=allowance.terms.principal, detail=detail
        )
        self._receipts.add(entry, row, content_of_allowance(event, allowance, by=by, approval=approval))


def _find(connection: Connection, allowance_id: str) -> Allowance | None:
    row = connection.execute(select(allowances).where(allowances.c.id == allowance_id)).mappings().first()
    return _allowance(row) if row else None


def _requests(connection: Connection, *conditions: ColumnElement[bool]) -> list[AllowanceRequest]:
    query = (
        select(allowance_requests)
        .where(allowance_requests.c.closed_at.is_(None), *conditions)
        .order_by(allowance_requests.c.created_at)
    )
    return [
        AllowanceRequest(id=row["id"], terms=_terms(row), reason=row["reason"], created_at=row["created_at"])
        for row in connection.execute(query).mappings()
    ]


def _close(connection: Connection, request_id: str, at: datetime) -> None:
    connection.execute(update(allowance_requests).where(allowance_requests.c.id == request_id).values(closed_at=at))


def _is_same(one: Terms, other: Terms) -> bool:
    return _row(one) == _row(other)


def _row(terms: Terms) -> dict[str, Any]:
    money = terms.money
    return {
        "operation": terms.operation,
        "principal": terms.principal,
        "account": terms.account,
        "conditions": [str(condition) for condition in terms.conditions],
        "count_most": terms.count.most,
        "count_window": terms.count.window,
        "money_most": billionths(money.most.amount) if money else None,
        "currency": money.most.currency if money else None,
        "money_window": money.window if money else None,
        "until": terms.until,
        "note": terms.note,
    }


def _allowance(row: RowMapping) -> Allowance:
    return Allowance(
        id=row["id"],
        terms=_terms(row),
        created_at=row["created_at"],
        created_by=row["created_by"],
        revoked_at=row["revoked_at"],
        revoked_by=row["revoked_by"],
    )


def _terms(row: RowMapping) -> Terms:
    money = row["money_most"]
    return Terms(
        operation=row["operation"],
        principal=row["principal"],
        account=row["account"],
        conditions=tuple(read_condition(line) for line in row["conditions"]),
        count=CountLimit(row["count_most"], row["count_window"]),
        money=None
        if money is None
        else MoneyLimit(Money((Decimal(money) / _BILLION).normalize(), row["currency"]), row["money_window"]),
        until=row["until"],
        note=row.get("note", ""),
    )


def _usage(row: RowMapping, count: int, spent: Decimal) -> Usage:
    return Usage(count, Money(spent, row["currency"]) if row["currency"] else None)
