"""Tournaments: their settings, entrants and games."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tournament",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("setup", sa.Text(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("standings", sa.Text()),
        sa.CheckConstraint(
            "(status = 'ended') = (ended_ms IS NOT NULL AND standings IS NOT NULL)",
            name=op.f("ck_tournament_ended"),
        ),
        sa.CheckConstraint("status IN ('running', 'ended')", name=op.f("ck_tournament_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tournament")),
    )
    op.create_index(op.f("ix_tournament_status_id"), "tournament", ["status", "id"])
    op.create_index(op.f("ix_tournament_owner_status"), "tournament", ["owner", "status"])
    op.create_table(
        "tournament_entrant",
        sa.Column("tournament", sa.String(length=64), nullable=False),
        sa.Column("entrant", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("rating_milli", sa.Integer()),
        sa.Column("at_once", sa.Integer()),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_tournament_entrant_agent")),
        sa.ForeignKeyConstraint(
            ["tournament"], ["tournament.id"], name=op.f("fk_tournament_entrant_tournament")
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["agent_version.id"], name=op.f("fk_tournament_entrant_version")
        ),
        sa.PrimaryKeyConstraint("tournament", "entrant", name=op.f("pk_tournament_entrant")),
        sa.UniqueConstraint(
            "tournament", "agent", name=op.f("uq_tournament_entrant_tournament_agent")
        ),
    )
    op.create_table(
        "tournament_game",
        sa.Column("tournament", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fixture", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("ranks", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint(
            "(state = 'scored') = (ranks IS NOT NULL)", name=op.f("ck_tournament_game_scored")
        ),
        sa.CheckConstraint(
            "state IN ('live', 'scored', 'void')", name=op.f("ck_tournament_game_state")
        ),
        sa.ForeignKeyConstraint(
            ["tournament"], ["tournament.id"], name=op.f("fk_tournament_game_tournament")
        ),
        sa.PrimaryKeyConstraint("tournament", "number", name=op.f("pk_tournament_game")),
        sa.UniqueConstraint("session", name=op.f("uq_tournament_game_session")),
        sa.UniqueConstraint(
            "tournament", "name", "attempt", name=op.f("uq_tournament_game_tournament_name_attempt")
        ),
    )
