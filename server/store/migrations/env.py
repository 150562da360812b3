"""Alembic runs this file: it connects to the store and applies the missing migrations."""

from alembic import context
from sqlalchemy import create_engine, pool

from server.store.schema import metadata
from server.store.transactions.locks import WHOLE_STORE, take_locks

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.begin() as connection:
    take_locks(connection, WHOLE_STORE)  # the process that waited finds nothing left to do
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
