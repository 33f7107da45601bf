"""Gates of candidates, their matches, and the lineage of what plays."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("candidate", sa.String(64), nullable=False),
        sa.Column("current", sa.String(64), nullable=False),
        sa.Column("adapter", sa.String(64)),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("players", sa.Text(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("seed_commit", sa.String(64), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text()),
        sa.CheckConstraint("status IN ('running', 'ended')", name=op.f("ck_gate_status")),
        sa.CheckConstraint(
            "(status = 'ended') = (ended_ms IS NOT NULL AND verdict IS NOT NULL)",
            name=op.f("ck_gate_ended"),
        ),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_gate_agent")),
        sa.ForeignKeyConstraint(
            ["candidate"], ["agent_version.id"], name=op.f("fk_gate_candidate")
        ),
        sa.ForeignKeyConstraint(["current"], ["agent_version.id"], name=op.f("fk_gate_current")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate")),
    )
    op.create_index(op.f("ix_gate_status_id"), "gate", ["status", "id"])
    op.create_index(op.f("ix_gate_agent_id"), "gate", ["agent", "id"])
    op.create_table(
        "gate_match",
        sa.Column("gate", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint("state IN ('live', 'scored', 'void')", name=op.f("ck_gate_match_state")),
        sa.CheckConstraint(
            "(state = 'scored') = (result IS NOT NULL)", name=op.f("ck_gate_match_scored")
        ),
        sa.ForeignKeyConstraint(["gate"], ["gate.id"], name=op.f("fk_gate_match_gate")),
        sa.PrimaryKeyConstraint("gate", "name", "attempt", name=op.f("pk_gate_match")),
        sa.UniqueConstraint("session", name=op.f("uq_gate_match_session")),
    )
    op.create_table(
        "lineage",
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("parent", sa.String(64), nullable=False),
        sa.Column("adapter", sa.String(64)),
        sa.Column("gate", sa.String(64)),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('promoted', 'rolled-back')", name=op.f("ck_lineage_kind")),
        sa.CheckConstraint(
            "(kind = 'promoted') = (gate IS NOT NULL)", name=op.f("ck_lineage_promoted")
        ),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_lineage_agent")),
        sa.ForeignKeyConstraint(["version"], ["agent_version.id"], name=op.f("fk_lineage_version")),
        sa.ForeignKeyConstraint(["parent"], ["agent_version.id"], name=op.f("fk_lineage_parent")),
        sa.ForeignKeyConstraint(["gate"], ["gate.id"], name=op.f("fk_lineage_gate")),
        sa.PrimaryKeyConstraint("agent", "number", name=op.f("pk_lineage")),
        sa.UniqueConstraint("gate", name=op.f("uq_lineage_gate")),
    )
