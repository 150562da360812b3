"""Makes actions found by what stands in them, filtered in the order of time, and what they cost summed by operation."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store.searchable import searchable_row

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_AT_ONCE = 500
_IN_ORDER = {
    "actions_by_time": (),
    "actions_by_state": ("state",),
    "actions_by_principal": ("principal",),
    "actions_by_provider": ("provider",),
    "actions_by_account": ("account_name",),
    "actions_by_operator": ("decided_by",),
}
_BEFORE = ("actions_by_time", "actions_by_state", "actions_by_principal")
"""Those that there were, without the id at their end."""


def upgrade() -> None:
    """Create the tables and indexes, and fill them from what stands in the record."""
    for name in _BEFORE:
        op.drop_index(name, "actions")
    for name, columns in _IN_ORDER.items():
        op.create_index(name, "actions", [*columns, "created_at", "id"])
    op.drop_index("plans_by_time", "plans")
    op.create_index("plans_by_time", "plans", ["created_at", "id"])
    op.create_index("holds_by_time", "holds", ["at"])
    op.create_index("holds_by_amount", "holds", ["currency", "billionths", "at", "state", "action_id"])
    _create_partial_index("holds_open", "holds", "at", "state = 'held'")
    _create_partial_index("plan_steps_reserved", "plan_steps", "reserved_at", "reserved > 0")
    _create_sums()
    _create_texts()


def downgrade() -> None:
    """Drop the tables, and restore the earlier indexes."""
    op.drop_table("action_texts")
    op.drop_table("spending_by_operation")
    op.drop_index("plan_steps_reserved", "plan_steps")
    for name in ("holds_open", "holds_by_amount", "holds_by_time"):
        op.drop_index(name, "holds")
    op.drop_index("plans_by_time", "plans")
    op.create_index("plans_by_time", "plans", ["created_at"])
    for name in _IN_ORDER:
        op.drop_index(name, "actions")
    for name in _BEFORE:
        op.create_index(name, "actions", [*_IN_ORDER[name], "created_at"])


def _create_partial_index(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_sums() -> None:
    op.create_table(
        "spending_by_operation",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("provider", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(32), primary_key=True),
        sa.Column("operation", sa.String(64), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("billionths", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
    )
    op.execute(
        "INSERT INTO spending_by_operation (day, provider, account, operation, currency, billionths, calls) "
        "SELECT substr(h.at, 1, 10), h.provider, h.account, coalesce(a.operation, ''), h.currency, sum(h.billionths), "
        "count(*) FROM holds h LEFT JOIN actions a ON a.id = h.action_id WHERE h.state <> 'released' "
        "GROUP BY substr(h.at, 1, 10), h.provider, h.account, coalesce(a.operation, ''), h.currency"
    )


def _create_texts() -> None:
    texts = op.create_table(
        "action_texts",
        sa.Column("created_at", sa.String(32), primary_key=True),
        sa.Column("action_id", sa.String(16), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    last = ""
    while rows := _next_actions(last):
        op.get_bind().execute(sa.insert(texts), [_text_of(row) for row in rows])
        last = rows[-1].id


def _next_actions(last: str) -> Sequence[sa.Row[Any]]:
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name) for name in ("id", "created_at", "operation", "title", "arguments")
    ]
    query = sa.select(*columns).select_from(sa.table("actions")).where(columns[0] > last).order_by(columns[0])
    return op.get_bind().execute(query.limit(_AT_ONCE)).all()


def _text_of(row: sa.Row[Any]) -> dict[str, Any]:
    # SQLite returns JSON as it is written, PostgreSQL reads it.
    arguments = json.loads(row.arguments) if isinstance(row.arguments, str) else row.arguments
    return searchable_row(
        action_id=row.id,
        created_at=row.created_at,
        operation=row.operation,
        title=row.title,
        arguments=arguments,
    )
