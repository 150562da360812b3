"""Keeps the outbox of notices: what operators are to be told, on which channel, and how that went."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "notices",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("about", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("due_at", sa.String(32)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("closed_at", sa.String(32)),
        sa.Column("outcome", sa.String(16)),
    )
    op.create_index("notices_by_due_time", "notices", ["channel", "due_at"])
    op.create_index("notices_by_event", "notices", ["event", "at"])
    op.create_index("notices_by_time", "notices", ["at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("notices")
