"""Keeps why an assistant asked and why a person declined, and what was found out about a call beside its rules."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("actions", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.add_column("actions", sa.Column("decline_reason", sa.Text))
    op.add_column("plans", sa.Column("decline_reason", sa.Text))
    op.add_column("actions", sa.Column("demanded", sa.String(8)))
    op.add_column("plan_steps", sa.Column("demanded", sa.String(8)))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("plan_steps", "demanded")
    op.drop_column("actions", "demanded")
    op.drop_column("plans", "decline_reason")
    op.drop_column("actions", "decline_reason")
    op.drop_column("actions", "reason")
