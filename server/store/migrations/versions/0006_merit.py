"""Merit: seasons, points, shares, leagues, official boards; the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "season",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_season")),
    )
    op.create_table(
        "point",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64)),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_point_points")),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_point_account")),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_point_agent")),
        sa.ForeignKeyConstraint(["season"], ["season.number"], name=op.f("fk_point_season")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point")),
    )
    op.create_index(
        op.f("ix_point_account_season_made_ms"), "point", ["account", "season", "made_ms"]
    )
    op.create_index(op.f("ix_point_agent_made_ms"), "point", ["agent", "made_ms"])
    op.create_table(
        "share",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=96), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_share_account")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_share")),
    )
    op.create_index(op.f("ix_share_account_subject"), "share", ["account", "subject"], unique=True)
    op.create_table(
        "share_view",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("viewer", sa.String(length=64), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("verified_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["token"], ["share.token"], name=op.f("fk_share_view_token")),
        sa.PrimaryKeyConstraint("token", "viewer", name=op.f("pk_share_view")),
    )
    op.create_table(
        "league",
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("division", sa.Integer(), nullable=False),
        sa.Column("below", sa.Integer(), nullable=False),
        sa.Column("best", sa.Integer(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["agent_version.id"], name=op.f("fk_league_version")),
        sa.PrimaryKeyConstraint("space", "version", name=op.f("pk_league")),
    )
    op.create_table(
        "official_board",
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("computed_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("space", "computed_ms", name=op.f("pk_official_board")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=280), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject_id"), "audit", ["subject", "id"])
