"""Trainings: what owners allow, jobs, and adapters."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training_consent",
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("budget_s", sa.Integer(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_training_consent_agent")),
        sa.PrimaryKeyConstraint("agent", "space", name=op.f("pk_training_consent")),
    )
    op.create_table(
        "training_job",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("asked", sa.String(8), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("held_by", sa.String(64)),
        sa.Column("device", sa.String(16)),
        sa.Column("folder", sa.String(128), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("loss_micro", sa.BigInteger()),
        sa.Column("curve", sa.Text(), nullable=False),
        sa.Column("device_ms", sa.BigInteger(), nullable=False),
        sa.Column("wanted_off", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("data", sa.String(64)),
        sa.Column("manifest", sa.String(64)),
        sa.Column("adapter", sa.String(64)),
        sa.Column("gate", sa.String(64)),
        sa.Column("promoted", sa.String(64)),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger()),
        sa.Column("moved_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.CheckConstraint(
            "state IN ('queued', 'collecting', 'training', 'packaging', 'gating',"
            " 'promoted', 'kept', 'failed', 'cancelled')",
            name=op.f("ck_training_job_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('promoted', 'kept', 'failed', 'cancelled')) = (ended_ms IS NOT NULL)",
            name=op.f("ck_training_job_ended"),
        ),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_training_job_agent")),
        sa.ForeignKeyConstraint(
            ["version"], ["agent_version.id"], name=op.f("fk_training_job_version")
        ),
        sa.ForeignKeyConstraint(
            ["promoted"], ["agent_version.id"], name=op.f("fk_training_job_promoted")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_job")),
    )
    op.create_index(
        op.f("ix_training_job_agent_space_created_ms"),
        "training_job",
        ["agent", "space", "created_ms"],
    )
    op.create_index(op.f("ix_training_job_state_due_ms"), "training_job", ["state", "due_ms"])
    op.create_table(
        "adapter",
        sa.Column("card", sa.String(64), nullable=False),
        sa.Column("weights", sa.String(64), nullable=False),
        sa.Column("gguf", sa.String(64)),
        sa.Column("name", sa.String(128)),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("base_sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.String(64)),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("retired_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["owner"], ["account.id"], name=op.f("fk_adapter_owner")),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_adapter_agent")),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_adapter")),
        sa.UniqueConstraint("name", name=op.f("uq_adapter_name")),
    )
    op.create_index(op.f("ix_adapter_agent_created_ms"), "adapter", ["agent", "created_ms"])
    op.create_index(op.f("ix_adapter_owner_created_ms"), "adapter", ["owner", "created_ms"])
