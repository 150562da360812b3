"""Adds callbacks of providers, and which action a message belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create `events`, the callbacks of providers, and `tracked`, the actions that messages belong to."""
    op.create_table(
        "events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("campaign", sa.String(128)),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("other_side", sa.String(64)),
        sa.Column("ours", sa.String(64)),
        sa.Column("words", sa.Text),
        sa.Column("price", sa.String(40)),
        sa.Column("reason", sa.Text),
        sa.Column("counts", sa.Text),
        sa.Column("happened_at", sa.String(32)),
    )
    op.create_index("events_by_subject", "events", ["subject"])
    op.create_index("events_by_campaign", "events", ["campaign"])
    op.create_index("events_by_other_side", "events", ["other_side"])
    op.create_table(
        "tracked",
        sa.Column("provider", sa.String(32), primary_key=True),
        sa.Column("subject", sa.String(128), primary_key=True),
        sa.Column("action_id", sa.String(16), nullable=False),
    )


def downgrade() -> None:
    """Drop `tracked` and `events`."""
    op.drop_table("tracked")
    op.drop_index("events_by_other_side", "events")
    op.drop_index("events_by_campaign", "events")
    op.drop_index("events_by_subject", "events")
    op.drop_table("events")
