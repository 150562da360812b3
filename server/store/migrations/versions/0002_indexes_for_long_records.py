"""Adds indexes and daily sums, so that a guarded call costs the same however many actions there are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the indexes, and create `spending`, the daily sums of what `holds` contains."""
    op.drop_index("actions_by_state", "actions")
    op.create_index("actions_by_state", "actions", ["state", "created_at"])
    op.create_index("actions_by_principal", "actions", ["principal", "created_at"])
    op.create_index("actions_by_principal_and_state", "actions", ["principal", "state", "created_at"])
    op.drop_index("holds_by_time", "holds")
    op.create_table(
        "spending",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("provider", sa.String(32), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("billionths", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO spending (day, provider, currency, billionths) "
        "SELECT substr(at, 1, 10), provider, currency, sum(billionths) FROM holds WHERE state <> 'released' "
        "GROUP BY substr(at, 1, 10), provider, currency"
    )
    op.create_index("stranger_words_by_time", "stranger_words", ["at"])


def downgrade() -> None:
    """Restore the earlier indexes and drop `spending`."""
    op.drop_index("stranger_words_by_time", "stranger_words")
    op.drop_table("spending")
    op.create_index("holds_by_time", "holds", ["currency", "at"])
    op.drop_index("actions_by_principal_and_state", "actions")
    op.drop_index("actions_by_principal", "actions")
    op.drop_index("actions_by_state", "actions")
    op.create_index("actions_by_state", "actions", ["state"])
