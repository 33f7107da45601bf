"""Agents are edited by whoever saw them last; an entry says who plays the seat."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "agent", sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.add_column("entry", sa.Column("kind", sa.String(length=16)))
