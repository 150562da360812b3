"""Keeps plans: several calls that are approved once, and the money that is reserved for their steps."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN = "state IN ('proposed', 'approved', 'running', 'stopped')"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "plans",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("on_failure", sa.String(8), nullable=False),
        sa.Column("calls", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("people", sa.Integer),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("runs_until", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(200)),
        sa.Column("decided_at", sa.String(32)),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("outcome", sa.Text),
    )
    op.create_index(
        "one_open_plan_of_the_same_calls",
        "plans",
        ["calls"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_index("plans_by_time", "plans", ["created_at"])
    op.create_index("plans_by_state", "plans", ["state", "created_at"])
    op.create_index("plans_by_principal", "plans", ["principal", "created_at"])
    op.create_table(
        "plan_steps",
        sa.Column("plan_id", sa.String(16), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("label", sa.String(40)),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("given", sa.JSON, nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("quote", sa.JSON, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("action_id", sa.String(16)),
        sa.Column("refusal", sa.Text),
        sa.Column("is_struck", sa.Boolean, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("reserved_at", sa.String(32)),
    )
    op.create_index("plan_steps_by_digest", "plan_steps", ["digest"])
    op.create_index("plan_steps_by_action", "plan_steps", ["action_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("plan_steps")
    op.drop_table("plans")
