"""What is kept in the content store; the outbox is looked through by step first, so that one that waits for hours costs the others nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pin",
        sa.Column("session", sa.String(64), sa.ForeignKey("session.id"), primary_key=True),
        sa.Column("cid", sa.String(64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("pinned_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('pinned', 'lost')", name="state"),
    )
    op.create_index("ix_pin_season_session", "pin", ["season", "session"])
    op.create_index("ix_outbox_state_step_due_ms", "outbox", ["state", "step", "due_ms"])
    op.drop_index("ix_outbox_state_due_ms", "outbox")
