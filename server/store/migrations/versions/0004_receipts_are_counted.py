"""Adds totals of delivery reports; older reports are counted with the next one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the totals of delivery reports to `tracked`, and index `events` by time."""
    op.add_column("tracked", sa.Column("seen", sa.Integer))
    op.add_column("tracked", sa.Column("whole", sa.Integer))
    op.add_column("tracked", sa.Column("spent", sa.String(40)))
    op.add_column("tracked", sa.Column("settled_at", sa.String(32)))
    op.create_index("events_by_time", "events", ["received_at"])


def downgrade() -> None:
    """Drop the totals from `tracked` and the index by time from `events`."""
    op.drop_index("events_by_time", "events")
    with op.batch_alter_table("tracked") as table:
        for name in ("settled_at", "spent", "whole", "seen"):
            table.drop_column(name)
