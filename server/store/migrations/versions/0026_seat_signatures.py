"""Agents' signing keys, and what seats have signed with them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_signing_key",
        sa.Column("agent", sa.String(64), sa.ForeignKey("agent.id"), primary_key=True),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "seat_signature",
        sa.Column("session", sa.String(64), sa.ForeignKey("session.id"), primary_key=True),
        sa.Column("seat", sa.Integer(), primary_key=True),
        sa.Column("signer", sa.String(42), nullable=False),
        sa.Column("value", sa.String(132), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
    )
