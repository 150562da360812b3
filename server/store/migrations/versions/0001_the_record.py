"""Creates actions, holds, the audit log, opt-outs, secrets, limit uses, cached answers and named values."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN_STATES = "state IN ('proposed', 'approved', 'sending', 'unknown')"


def upgrade() -> None:
    """Create the first tables and their indexes."""
    op.create_table(
        "actions",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("quote", sa.JSON, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(200)),
        sa.Column("decided_at", sa.String(32)),
        sa.Column("sent_at", sa.String(32)),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("outcome", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("owner", sa.String(200)),
    )
    op.create_index(
        "one_open_action_a_digest",
        "actions",
        ["digest"],
        unique=True,
        sqlite_where=sa.text(OPEN_STATES),
        postgresql_where=sa.text(OPEN_STATES),
    )
    op.create_index("actions_by_time", "actions", ["created_at"])
    op.create_index("actions_by_digest", "actions", ["digest", "finished_at"])
    op.create_index("actions_by_state", "actions", ["state"])
    op.create_table(
        "holds",
        sa.Column("action_id", sa.String(16), primary_key=True),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("billionths", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("holds_by_time", "holds", ["currency", "at"])
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("action_id", sa.String(16)),
        sa.Column("principal", sa.String(200)),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
    )
    op.create_table(
        "optouts",
        sa.Column("number", sa.String(32), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
    )
    op.create_table(
        "stranger_words",
        sa.Column("principal", sa.String(200), primary_key=True),
        sa.Column("word", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "sealed_secrets",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("action_id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("kept_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_sealed_secrets_action_id", "sealed_secrets", ["action_id"])
    op.create_table(
        "limit_uses",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("ix_limit_uses_name", "limit_uses", ["name"])
    op.create_table(
        "cached_answers",
        sa.Column("account", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("is_stale", sa.Boolean, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the first tables."""
    for table in (
        "stranger_words",
        "optouts",
        "audit",
        "holds",
        "facts",
        "cached_answers",
        "limit_uses",
        "sealed_secrets",
        "actions",
    ):
        op.drop_table(table)
