"""Run by alembic: connects to the store and applies what is missing."""

from alembic import context
from sqlalchemy import create_engine, pool

from server.store.lock_timeouts import WRITE_LOCK, is_file
from server.store.schema import metadata

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.begin() as connection:
    if not is_file(engine.url):
        connection.exec_driver_sql(WRITE_LOCK)  # whoever waited finds nothing left to do
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
