"""Logs are found by their topics: what a reorganisation takes back asks for those that were before."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_chain_log_topics", "chain_log", ["topics"])
