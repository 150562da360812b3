"""Adds named operators with their passkeys and sessions, and each operator's yes to an action or plan."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ANSWERED = ("actions", "plans")


def upgrade() -> None:
    """Create the tables, and add to actions and plans who approved them and how many have to."""
    op.create_table(
        "operators",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("disabled_at", sa.String(32)),
        sa.Column("disabled_by", sa.String(200)),
        sa.Column("subject", sa.String(400)),
    )
    op.create_index("operators_by_subject", "operators", ["subject"], unique=True)
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(400), primary_key=True),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("rp_id", sa.String(255), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("used_at", sa.String(32)),
        sa.Column("removed_at", sa.String(32)),
    )
    op.create_index("passkeys_by_operator", "passkeys", ["operator"])
    op.create_table(
        "enrolments",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("used_at", sa.String(32)),
    )
    op.create_index("enrolments_by_operator", "enrolments", ["operator"])
    op.create_table(
        "operator_sessions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("operator", sa.String(64), nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32)),
    )
    op.create_index("operator_sessions_by_operator", "operator_sessions", ["operator", "expires_at"])
    op.create_index("operator_sessions_by_time", "operator_sessions", ["expires_at"])
    op.create_table(
        "approvals",
        sa.Column("about", sa.String(16), primary_key=True),
        sa.Column("operator", sa.String(64), primary_key=True),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("statement", sa.JSON, nullable=False),
        sa.Column("assertion", sa.JSON),
    )
    op.create_index("approvals_by_operator", "approvals", ["operator", "at"])
    for table in _ANSWERED:
        op.add_column(table, sa.Column("approvers", sa.JSON, nullable=False, server_default="[]"))
        op.add_column(table, sa.Column("approvers_needed", sa.Integer, nullable=False, server_default="1"))


def downgrade() -> None:
    """Drop the tables and columns."""
    for table in _ANSWERED:
        op.drop_column(table, "approvers_needed")
        op.drop_column(table, "approvers")
    for table in ("approvals", "operator_sessions", "enrolments", "passkeys", "operators"):
        op.drop_table(table)
