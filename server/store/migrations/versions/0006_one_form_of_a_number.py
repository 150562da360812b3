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
    known = list(connection.execute(sa.select(optouts.c.number).order_by(optouts.c.at)).scalars())
    kept: set[str] = set()
    for number in known:
        wanted = canonical(number) or number
        same = optouts.c.number == number
        if wanted in kept:
            connection.execute(sa.delete(optouts).where(same))
        elif wanted != number and wanted in known:
            connection.execute(sa.delete(optouts).where(optouts.c.number == wanted))
            connection.execute(sa.update(optouts).where(same).values(number=wanted))
        elif wanted != number:
            connection.execute(sa.update(optouts).where(same).values(number=wanted))
        kept.add(wanted)


def downgrade() -> None:
    """Leave the opt-outs as they are: each of them is valid for the earlier version too."""
