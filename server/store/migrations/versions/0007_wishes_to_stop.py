"""Keeps texts that say something about further messages, so that the operator reads what is unclear."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "optout_requests",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("wish", sa.String(8), nullable=False),
        sa.Column("words", sa.Text),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("closed_at", sa.String(32)),
    )
    op.create_index("optout_requests_by_sender", "optout_requests", ["sender", "closed_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("optout_requests")
