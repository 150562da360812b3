"""Makes old actions movable into archives: what follows an action is found by it, and where it went is noted."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index and the table."""
    op.create_index("tracked_by_action", "tracked", ["action_id"])
    op.create_table(
        "archived",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("archive", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("archived")
    op.drop_index("tracked_by_action", "tracked")
