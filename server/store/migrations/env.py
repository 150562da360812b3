"""Alembic runs this file: it connects to the store and applies the missing migrations."""

from alembic import context
from sqlalchemy import create_engine, pool

from server.store.engine import WRITE_LOCK, is_file
from server.store.schema import metadata

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.begin() as connection:
    if not is_file(engine.url):
        connection.exec_driver_sql(WRITE_LOCK)  # the process that waited finds nothing left to do
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
