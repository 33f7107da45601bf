"""Sums that are kept as they grow: careers by the hour, points by season. Nothing was settled before."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "career",
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in (
                "wins",
                "draws",
                "losses",
                "voids",
                "score_milli",
                "scored",
                "paid_micros",
                "won_micros",
            )
        ),
        sa.Column("last", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_career_agent")),
        sa.ForeignKeyConstraint(["version"], ["agent_version.id"], name=op.f("fk_career_version")),
        sa.PrimaryKeyConstraint(
            "agent", "space", "version", "asset", "hour", name=op.f("pk_career")
        ),
    )
    op.create_table(
        "point_total",
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["season"], ["season.number"], name=op.f("fk_point_total_season")),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_point_total_account")),
        sa.PrimaryKeyConstraint("season", "account", "agent", name=op.f("pk_point_total")),
    )
    op.create_index(op.f("ix_point_total_season_points"), "point_total", ["season", "points"])
    op.execute(
        "INSERT INTO point_total (season, account, agent, points) SELECT season, account,"
        " COALESCE(agent, ''), SUM(points) FROM point GROUP BY season, account, COALESCE(agent, '')"
    )
