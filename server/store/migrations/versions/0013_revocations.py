"""What was revoked lately is found at once; an answer that is given again says where its thing is, too."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_api_key_revoked_ms"), "api_key", ["revoked_ms"])
    op.add_column("idempotency", sa.Column("location", sa.String(length=256)))
