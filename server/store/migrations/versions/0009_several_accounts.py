"""Keeps the name of the account of every action, amount and callback; what is there is of the provider's own one."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAMED = {"actions": "account_name", "plan_steps": "account_name", "holds": "account", "events": "account"}


def upgrade() -> None:
    """Add the columns."""
    for table, column in _NAMED.items():
        op.add_column(table, sa.Column(column, sa.String(32), nullable=False, server_default=""))
        op.execute(f"UPDATE {table} SET {column} = provider")  # noqa: S608 - our own names
    _replace_spending("SELECT day, provider, provider, currency, billionths FROM spending", with_account=True)
    _replace_tracked(
        "SELECT provider, provider, subject, action_id, seen, whole, spent, settled_at FROM tracked", with_account=True
    )


def downgrade() -> None:
    """Drop the columns, and add up what accounts of one provider spent."""
    _replace_spending(
        "SELECT day, provider, currency, SUM(billionths) FROM spending GROUP BY day, provider, currency",
        with_account=False,
    )
    _replace_tracked(
        "SELECT provider, subject, MIN(action_id), MIN(seen), MIN(whole), MIN(spent), MIN(settled_at) FROM tracked "
        "GROUP BY provider, subject",
        with_account=False,
    )
    for table, column in _NAMED.items():
        op.drop_column(table, column)


def _replace_spending(rows: str, *, with_account: bool) -> None:
    op.create_table(
        "new_spending",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("provider", sa.String(32), primary_key=True),
        *_account(with_account=with_account),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("billionths", sa.BigInteger, nullable=False),
    )
    _fill_in("spending", rows)


def _replace_tracked(rows: str, *, with_account: bool) -> None:
    op.create_table(
        "new_tracked",
        sa.Column("provider", sa.String(32), primary_key=True),
        *_account(with_account=with_account),
        sa.Column("subject", sa.String(128), primary_key=True),
        sa.Column("action_id", sa.String(16), nullable=False),
        sa.Column("seen", sa.Integer),
        sa.Column("whole", sa.Integer),
        sa.Column("spent", sa.String(40)),
        sa.Column("settled_at", sa.String(32)),
    )
    _fill_in("tracked", rows)


def _account(*, with_account: bool) -> list[sa.Column[str]]:
    return [sa.Column("account", sa.String(32), primary_key=True)] if with_account else []


def _fill_in(table: str, rows: str) -> None:
    """Fill a new table, whose key is another one, from the old one that it replaces."""
    op.execute(f"INSERT INTO new_{table} {rows}")
    op.drop_table(table)
    op.rename_table(f"new_{table}", table)
