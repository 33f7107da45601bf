"""Operators' standings have a row for each change alone; how many batches there are the batches say."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("operator_standing") as table:
        table.drop_column("batches")
