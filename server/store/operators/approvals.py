"""Each operator's yes, stored in the transaction that it belongs to."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import and_, func, insert, select, tuple_
from sqlalchemy.engine import Connection

from guard.errors import MayNotApprove
from guard.operators.approval import Approval, Assertion, Statement
from guard.operators.roles import LOCAL, Operator, on_page
from server.store.operators.operators import find_operator
from server.store.schema import approvals, operators

_AT_ONCE: Final = 500
_STORED: Final = (approvals.c.about, approvals.c.operator, approvals.c.statement, approvals.c.assertion)


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """An approval as it stands in the store, to compare with the audit log."""

    about: str
    operator: str
    statement: Mapping[str, Any]
    assertion: Mapping[str, Any] | None

    @property
    def digest(self) -> str:
        """A digest of what was approved and signed."""
        said = [self.about, self.operator, self.statement, self.assertion]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8")).hexdigest()


def add_approval(connection: Connection, approval: Approval) -> None:
    """Store an operator's yes.

    Raises:
        MayNotApprove: The operator was disabled meanwhile, or approved this before.
    """
    name = approval.operator.name
    found = find_operator(connection, name)
    if found is None or not found.is_enabled:
        raise MayNotApprove(f"{name} is disabled and approves nothing; nothing was recorded.")
    about = approval.statement.about
    earlier = (approvals.c.about == about) & (approvals.c.operator == name)
    if connection.execute(select(approvals.c.at).where(earlier)).first() is not None:
        raise MayNotApprove(f"{name} approved {about} already; another operator has to. Nothing was recorded.")
    connection.execute(insert(approvals).values(row_of(approval)))


def approvals_of(connection: Connection, about: str) -> list[Approval]:
    """Return what enabled operators approved, oldest first; what was approved by one who is disabled counts no more."""
    joined = approvals.outerjoin(operators, operators.c.name == approvals.c.operator)
    is_enabled = and_(
        operators.c.disabled_at.is_(None), operators.c.name.is_not(None) | (approvals.c.operator == LOCAL)
    )
    query = select(approvals).select_from(joined).where(approvals.c.about == about, is_enabled)
    found: list[Approval] = []
    for row in connection.execute(query).mappings().all():
        operator = find_operator(connection, row["operator"])
        if operator is not None:
            found.append(_approval_of(dict(row), operator))
    return sorted(found, key=lambda one: one.at)


def approvals_about(connection: Connection, subjects: Collection[str]) -> list[StoredApproval]:
    """Return every approval of some actions and plans, also of operators who were disabled since."""
    rows = connection.execute(select(*_STORED).where(approvals.c.about.in_(subjects)))
    return [StoredApproval(*row) for row in rows]


def count_approvals(connection: Connection) -> int:
    """Return how many approvals are in the store."""
    return connection.execute(select(func.count()).select_from(approvals)).scalar_one()


def every_approval(connection: Connection) -> Iterator[StoredApproval]:
    """Read every approval, some at a time."""
    query = select(*_STORED).order_by(approvals.c.about, approvals.c.operator).limit(_AT_ONCE)
    key = tuple_(approvals.c.about, approvals.c.operator)
    last: tuple[str, str] | None = None
    while rows := connection.execute(query if last is None else query.where(key > last)).all():
        yield from (StoredApproval(*row) for row in rows)
        last = (rows[-1].about, rows[-1].operator)


def decided_by(given: list[Approval]) -> str:
    """Name everyone who approved, as the record does."""
    return given[0].by if len(given) == 1 else on_page([one.operator.name for one in given])


def detail_of(approval: Approval) -> Mapping[str, Any]:
    """Return what the audit log says of an operator's yes: the statement, and what a passkey signed for it."""
    detail: dict[str, Any] = {"operator": approval.operator.name, "statement": approval.statement.facts}
    return detail | ({"assertion": asdict(approval.assertion)} if approval.assertion is not None else {})


def row_of(approval: Approval) -> dict[str, Any]:
    """Return an approval as a row of its table."""
    return {
        "about": approval.statement.about,
        "operator": approval.operator.name,
        "by": approval.by,
        "at": approval.at,
        "statement": approval.statement.facts,
        "assertion": asdict(approval.assertion) if approval.assertion is not None else None,
    }


def _approval_of(row: Mapping[str, Any], operator: Operator) -> Approval:
    signed = row["assertion"]
    return Approval(
        operator=operator,
        by=row["by"],
        statement=Statement.of(row["statement"]),
        at=row["at"],
        assertion=Assertion(**signed) if signed else None,
    )
