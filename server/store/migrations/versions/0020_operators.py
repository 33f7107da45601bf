"""Node operators: what the chain says of them, who keeps which transcript, and the roots of rewards and points."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ADDRESS = sa.String(42)
HASH = sa.String(66)
WEI = sa.String(80)
DIGEST = sa.String(64)
ID = sa.String(64)


def _block(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "operator_standing",
        sa.Column("operator", ADDRESS, nullable=False),
        _block("number"),
        sa.Column("log_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("endpoint", sa.String(128), nullable=False),
        sa.Column("peer_id", sa.String(64), nullable=False),
        sa.Column("bonded", WEI, nullable=False),
        sa.Column("unbonding", WEI, nullable=False),
        sa.Column("unbonding_at", sa.BigInteger(), nullable=False),
        sa.Column("batches", sa.BigInteger(), nullable=False),
        sa.Column("first_batch", sa.BigInteger(), nullable=False),
        sa.Column("misses", sa.BigInteger(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "operator", "number", "log_index", name=op.f("pk_operator_standing")
        ),
    )
    op.create_table(
        "operator_batch",
        sa.Column("operator", ADDRESS, nullable=False),
        _block("batch"),
        sa.Column("root", DIGEST, nullable=False),
        sa.Column("leaves", sa.Integer(), nullable=False),
        sa.Column("list_digest", DIGEST, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", HASH, nullable=False),
        sa.Column("state", sa.String(4), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_s", sa.BigInteger()),
        sa.Column("good", sa.Integer()),
        sa.Column("lie", sa.Integer()),
        sa.Column("exposed_number", sa.BigInteger()),
        sa.CheckConstraint("state IN ('due', 'read', 'bad')", name=op.f("ck_operator_batch_state")),
        sa.PrimaryKeyConstraint("operator", "batch", name=op.f("pk_operator_batch")),
    )
    op.create_index(op.f("ix_operator_batch_state_due_ms"), "operator_batch", ["state", "due_ms"])
    op.create_table(
        "operator_keep",
        sa.Column("operator", ADDRESS, nullable=False),
        _block("batch"),
        sa.Column("session", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "batch", "session", name=op.f("pk_operator_keep")),
        sa.ForeignKeyConstraint(
            ["session"], ["session.id"], name=op.f("fk_operator_keep_session_session")
        ),
        sa.ForeignKeyConstraint(
            ["operator", "batch"],
            ["operator_batch.operator", "operator_batch.batch"],
            name=op.f("fk_operator_keep_operator_batch_operator_batch"),
        ),
    )
    op.create_index(
        op.f("ix_operator_keep_session_operator"), "operator_keep", ["session", "operator"]
    )
    op.create_table(
        "operator_challenge",
        _block("id"),
        sa.Column("operator", ADDRESS, nullable=False),
        sa.Column("challenger", ADDRESS, nullable=False),
        sa.Column("bond", WEI, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.Integer()),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("drawn_leaf", sa.Integer()),
        sa.Column("drawn_number", sa.BigInteger()),
        sa.Column("answer_until", sa.BigInteger()),
        sa.Column("ended", sa.String(8)),
        sa.Column("ended_number", sa.BigInteger()),
        sa.Column("lost", WEI),
        sa.CheckConstraint(
            "ended IN ('answered', 'missed', 'lapsed')", name=op.f("ck_operator_challenge_ended")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_challenge")),
    )
    op.create_index(
        op.f("ix_operator_challenge_operator_id"), "operator_challenge", ["operator", "id"]
    )
    op.create_index(op.f("ix_operator_challenge_ended_id"), "operator_challenge", ["ended", "id"])
    op.create_table(
        "published_root",
        _block("number"),
        sa.Column("log_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("root", DIGEST, nullable=False),
        sa.Column("total", WEI, nullable=False),
        sa.Column("counts_at", sa.BigInteger(), nullable=False),
        sa.Column("vetoed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('rewards', 'points')", name=op.f("ck_published_root_kind")),
        sa.PrimaryKeyConstraint("number", "log_index", name=op.f("pk_published_root")),
    )
    op.create_index(
        op.f("ix_published_root_kind_season_ordinal"),
        "published_root",
        ["kind", "season", "ordinal"],
    )
    op.create_table(
        "root_document",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False, autoincrement=False),
        _block("ordinal"),
        sa.Column("root", DIGEST, nullable=False),
        sa.Column("total", WEI, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("cid", sa.String(64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('rewards', 'points')", name=op.f("ck_root_document_kind")),
        sa.PrimaryKeyConstraint("kind", "season", "ordinal", name=op.f("pk_root_document")),
    )
    op.create_index(op.f("ix_pin_cid"), "pin", ["cid"])
