"""Lists that operators hand in wait here until they are read, and nowhere else."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator_list",
        sa.Column("operator", sa.String(42), nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("operator", "batch", name=op.f("pk_operator_list")),
        sa.ForeignKeyConstraint(
            ["operator", "batch"],
            ["operator_batch.operator", "operator_batch.batch"],
            name=op.f("fk_operator_list_operator_batch"),
        ),
    )
