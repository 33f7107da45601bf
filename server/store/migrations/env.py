"""What alembic runs: the migrations, on the connection that `store.migrate` holds the lock with."""

from alembic import context

from server.store import chain, court_chain, courtroom, escrow, keeping, learning, merit, money  # noqa: F401 - their tables join the metadata
from server.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
