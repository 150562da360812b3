"""Schema migrations, applied by alembic."""
