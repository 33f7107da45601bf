"""Automations say when their next entry is due, count seats not confirmed, and tell of their changes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "automation", sa.Column("missed", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("automation", sa.Column("due_ms", sa.BigInteger()))
    op.add_column(
        "automation", sa.Column("untold", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index(op.f("ix_automation_due_ms"), "automation", ["due_ms"])
    op.create_index(op.f("ix_automation_untold"), "automation", ["untold"])
