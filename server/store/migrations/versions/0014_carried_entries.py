"""A new run of an automation takes over what is open, and a hold says which one."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hold", sa.Column("carried_to", sa.Integer()))
