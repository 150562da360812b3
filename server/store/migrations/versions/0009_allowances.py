"""Keeps allowances: what the operator allowed beforehand, what was let through, and what assistants ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and name the allowance of a plan's step."""
    op.create_table(
        "allowances",
        sa.Column("id", sa.String(16), primary_key=True),
        *_terms(),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
        sa.Column("revoked_by", sa.String(200)),
    )
    op.create_index("allowances_by_operation", "allowances", ["operation", "principal", "created_at"])
    op.create_index("allowances_by_time", "allowances", ["created_at"])
    op.create_table(
        "allowance_uses",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("allowance_id", sa.String(16), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("billionths", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3)),
        sa.Column("action_id", sa.String(16)),
        sa.Column("plan_id", sa.String(16)),
        sa.Column("position", sa.Integer),
        sa.Column("state", sa.String(8), nullable=False),
    )
    op.create_index("allowance_uses_by_time", "allowance_uses", ["allowance_id", "at"])
    op.create_index("allowance_uses_by_action", "allowance_uses", ["action_id"])
    op.create_index("allowance_uses_by_plan", "allowance_uses", ["plan_id"])
    op.create_table(
        "allowance_requests",
        sa.Column("id", sa.String(16), primary_key=True),
        *_terms(),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("closed_at", sa.String(32)),
    )
    op.create_index("allowance_requests_by_time", "allowance_requests", ["closed_at", "created_at"])
    op.create_index("allowance_requests_by_principal", "allowance_requests", ["principal", "closed_at", "created_at"])
    op.add_column("plan_steps", sa.Column("allowance_id", sa.String(16)))


def downgrade() -> None:
    """Drop the tables."""
    op.drop_column("plan_steps", "allowance_id")
    for table in ("allowance_requests", "allowance_uses", "allowances"):
        op.drop_table(table)


def _terms() -> list[sa.Column[object]]:
    return [
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200)),
        sa.Column("conditions", sa.JSON, nullable=False),
        sa.Column("count_most", sa.Integer, nullable=False),
        sa.Column("count_window", sa.String(8), nullable=False),
        sa.Column("money_most", sa.BigInteger),
        sa.Column("currency", sa.String(3)),
        sa.Column("money_window", sa.String(8)),
        sa.Column("until", sa.String(32), nullable=False),
    ]
