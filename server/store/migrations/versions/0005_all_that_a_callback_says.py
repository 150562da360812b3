"""Keeps what else a callback says of its message, and its body where a part of it could not be read."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the details and the body to `events`; both are empty for older callbacks."""
    op.add_column("events", sa.Column("details", sa.Text))
    op.add_column("events", sa.Column("raw", sa.Text))


def downgrade() -> None:
    """Drop both columns."""
    with op.batch_alter_table("events") as table:
        for name in ("raw", "details"):
            table.drop_column(name)
