"""Keeps when the server carries out an action or a plan, and the plan that undoes another one."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("actions", sa.Column("due_at", sa.String(32)))
    op.create_index("actions_by_due_time", "actions", ["due_at"])
    op.add_column("plans", sa.Column("at", sa.String(32)))
    op.add_column("plans", sa.Column("until", sa.String(32)))
    op.add_column("plans", sa.Column("zone", sa.String(64)))
    op.add_column("plans", sa.Column("undo_id", sa.String(16)))
    op.add_column("plans", sa.Column("undoes", sa.String(16)))
    op.add_column("plans", sa.Column("due_at", sa.String(32)))
    op.create_index("plans_by_due_time", "plans", ["due_at"])
    op.create_index("plans_by_undone", "plans", ["undoes"])
    op.add_column("plan_steps", sa.Column("undoes", sa.Integer))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("plan_steps", "undoes")
    op.drop_index("plans_by_undone", "plans")
    op.drop_index("plans_by_due_time", "plans")
    for name in ("due_at", "undoes", "undo_id", "zone", "until", "at"):
        op.drop_column("plans", name)
    op.drop_index("actions_by_due_time", "actions")
    op.drop_column("actions", "due_at")
