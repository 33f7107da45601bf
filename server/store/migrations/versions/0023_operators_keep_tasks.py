"""What operators keep is told by the number of the task that asks for it: results and epochs are asked for, too.

Nobody has written into the table that is made anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("operator_keep")
    op.create_table(
        "operator_keep",
        sa.Column("operator", sa.String(42), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("task", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "batch", "task", name=op.f("pk_operator_keep")),
        sa.ForeignKeyConstraint(
            ["task"], ["pin_task.number"], name=op.f("fk_operator_keep_task_pin_task")
        ),
        sa.ForeignKeyConstraint(
            ["operator", "batch"],
            ["operator_batch.operator", "operator_batch.batch"],
            name=op.f("fk_operator_keep_operator_batch_operator_batch"),
        ),
    )
    op.create_index(op.f("ix_operator_keep_task_operator"), "operator_keep", ["task", "operator"])
    op.drop_index("ix_pin_cid", "pin")
