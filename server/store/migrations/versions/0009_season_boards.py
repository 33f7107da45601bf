"""The boards with which a season ended; who moved is told by the boards' channels and not kept here."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "season_board",
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["season"], ["season.number"], name=op.f("fk_season_board_season")),
        sa.PrimaryKeyConstraint("season", "space", name=op.f("pk_season_board")),
    )
    op.drop_column("rating", "place")
