"""What alembic runs: the migrations, on the connection that `store.migrate` holds the lock with."""

from alembic import context

from server.store import (  # noqa: F401 - their tables join the metadata
    chain,
    court_chain,
    courtroom,
    escrow,
    gating,
    keeping,
    learning,
    merit,
    money,
)
from server.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
