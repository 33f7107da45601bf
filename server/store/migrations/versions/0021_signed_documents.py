"""Whose signature a transcript bears, results that are fixed for ever, and what is pinned besides transcripts."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transcript", sa.Column("signer", sa.String(42)))
    op.create_table(
        "result_document",
        sa.Column("session", sa.String(64), sa.ForeignKey("session.id"), primary_key=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("cid", sa.String(64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "document_pin",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("cid", sa.String(64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("pinned_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('result', 'epoch', 'payouts')", name="kind"),
        sa.CheckConstraint("state IN ('pinned', 'lost')", name="state"),
    )
    op.create_index("ix_document_pin_season_kind_name", "document_pin", ["season", "kind", "name"])
