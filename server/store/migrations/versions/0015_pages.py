"""What pages look for is found by an index: sessions by when they were sealed, an account's crossings newest first."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_session_sealed_ms"), "session", ["sealed_ms"])
    op.drop_index(op.f("ix_crossing_account_id"), "crossing")
    op.create_index(
        op.f("ix_crossing_account_made_ms_id"), "crossing", ["account", "made_ms", "id"]
    )
