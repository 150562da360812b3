"""Keeps signed receipts of what is approved, declined and carried out from now on, and the keys that sign them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "receipts",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("about_id", sa.String(16)),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signs_next", sa.String(43), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_index("receipts_by_id", "receipts", ["id"])
    op.create_index("receipts_by_subject", "receipts", ["about_id", "number"])
    op.create_index("receipts_by_time", "receipts", ["at"])
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(43), primary_key=True),
        sa.Column("x", sa.String(43), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("until", sa.String(32)),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("signing_keys")
    op.drop_table("receipts")
