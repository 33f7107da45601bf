"""Points of a session say whom the account met there: what counts against the same few is bounded."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("point", sa.Column("met", sa.Text(), nullable=False, server_default=""))
