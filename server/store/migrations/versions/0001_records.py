"""The first records: agents, sessions, transcripts, verdicts, ratings, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.String(length=64), nullable=False),
        sa.Column("tier_micros", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("sealed_ms", sa.BigInteger()),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("digest", sa.String(length=64)),
        sa.CheckConstraint(
            "(status IN ('ended', 'void')) = (digest IS NOT NULL AND sealed_ms IS NOT NULL)",
            name=op.f("ck_session_sealed"),
        ),
        sa.CheckConstraint(
            "status IN ('formed', 'live', 'ended', 'void')", name=op.f("ck_session_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_space_id"), "session", ["space", "id"])
    op.create_index(op.f("ix_session_status_id"), "session", ["status", "id"])
    op.create_table(
        "agent",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("plays", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('remote', 'hosted')", name=op.f("ck_agent_kind")),
        sa.ForeignKeyConstraint(["owner"], ["account.id"], name=op.f("fk_agent_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("owner", "name_key", name=op.f("uq_agent_owner_name_key")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'dead')", name=op.f("ck_outbox_state")
        ),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_outbox_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("session", "step", name=op.f("uq_outbox_session_step")),
    )
    op.create_index(op.f("ix_outbox_state_due_ms"), "outbox", ["state", "due_ms"])
    op.create_table(
        "rating_applied",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session"], ["session.id"], name=op.f("fk_rating_applied_session")
        ),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_rating_applied")),
    )
    op.create_table(
        "transcript",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_transcript_session")),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_transcript")),
    )
    op.create_table(
        "verdict",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_verdict_session")),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_verdict")),
    )
    op.create_table(
        "agent_version",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_agent_version_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_version")),
        sa.UniqueConstraint("agent", "number", name=op.f("uq_agent_version_agent_number")),
    )
    op.create_table(
        "api_key",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_api_key_agent")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_api_key")),
    )
    op.create_index(op.f("ix_api_key_agent"), "api_key", ["agent"])
    op.create_table(
        "entry",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("rating_milli", sa.Integer()),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_entry_agent")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_entry_session")),
        sa.ForeignKeyConstraint(["version"], ["agent_version.id"], name=op.f("fk_entry_version")),
        sa.PrimaryKeyConstraint("session", "seat", name=op.f("pk_entry")),
    )
    op.create_index(op.f("ix_entry_agent_session"), "entry", ["agent", "session"])
    op.create_table(
        "rating",
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("mu_milli", sa.Integer(), nullable=False),
        sa.Column("sigma_milli", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer()),
        sa.ForeignKeyConstraint(["version"], ["agent_version.id"], name=op.f("fk_rating_version")),
        sa.PrimaryKeyConstraint("space", "version", name=op.f("pk_rating")),
    )
