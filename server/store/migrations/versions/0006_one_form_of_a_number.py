"""Brings opt-outs to the one form by which numbers are compared."""

import sqlalchemy as sa
from alembic import op

from clients.phone_numbers import canonical

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rewrite each opt-out in its canonical form; of two for one telephone the first stays.

    What is no telephone number stays as it is, so that the operator still sees it.
    """
    optouts = sa.table("optouts", sa.column("number", sa.String(32)), sa.column("at", sa.String(32)))
    connection = op.get_bind()
    stays: dict[str, str] = {}
    for number in connection.execute(sa.select(optouts.c.number).order_by(optouts.c.at)).scalars().all():
        first = stays.setdefault(canonical(number) or number, number)
        if number != first:
            connection.execute(sa.delete(optouts).where(optouts.c.number == number))
    for wanted, number in stays.items():
        if wanted != number:
            connection.execute(sa.update(optouts).where(optouts.c.number == number).values(number=wanted))


def downgrade() -> None:
    """Leave the opt-outs as they are: each of them is valid for the earlier version too."""
