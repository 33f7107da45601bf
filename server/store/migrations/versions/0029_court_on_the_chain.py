"""What the court's contracts have said, and what the arena has filed and anchored there."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "court_log",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("log_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("block_hash", sa.String(66), nullable=False),
        sa.Column("tx", sa.String(66), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("ordinal", sa.BigInteger()),
        sa.Column("case", sa.String(64)),
        sa.Column("hearing", sa.Integer()),
        sa.Column("judge", sa.String(42)),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "log_index", name=op.f("pk_court_log")),
    )
    op.create_index(op.f("ix_court_log_name_ordinal"), "court_log", ["name", "ordinal"])
    op.create_index(op.f("ix_court_log_case_hearing"), "court_log", ["case", "hearing"])
    op.create_index(op.f("ix_court_log_judge_number"), "court_log", ["judge", "number"])
    op.create_table(
        "court_standing",
        sa.Column("judge", sa.String(42), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("log_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("operator", sa.String(42), nullable=False),
        sa.Column("family", sa.String(66), nullable=False),
        sa.Column("endpoint", sa.String(128), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("bonded", sa.String(80), nullable=False),
        sa.Column("unbonding", sa.String(80), nullable=False),
        sa.Column("unbonding_at", sa.BigInteger(), nullable=False),
        sa.Column("jailed_until", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("judge", "number", "log_index", name=op.f("pk_court_standing")),
    )
    op.create_table(
        "court_filing",
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("filing", sa.LargeBinary(), nullable=False),
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("wanted_ms", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger()),
        sa.Column("place", sa.Integer()),
        sa.PrimaryKeyConstraint("case", "hearing", name=op.f("pk_court_filing")),
    )
    op.create_index(op.f("ix_court_filing_batch_place"), "court_filing", ["batch", "place"])
    op.create_table(
        "court_batch",
        sa.Column("ordinal", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ordinal", name=op.f("pk_court_batch")),
    )
    op.create_index(op.f("ix_court_batch_root"), "court_batch", ["root"])
    op.create_table(
        "court_epoch",
        sa.Column("epoch", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("cases_root", sa.String(64), nullable=False),
        sa.Column("earned_root", sa.String(64), nullable=False),
        sa.Column("total_micros", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("cid", sa.String(64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_court_epoch")),
    )
    op.create_table(
        "court_heard",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("judge", sa.String(42), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("skill", sa.BigInteger(), nullable=False),
        sa.Column("pay", sa.BigInteger(), nullable=False),
        sa.Column("slash", sa.String(80), nullable=False),
        sa.Column("back", sa.BigInteger()),
        sa.PrimaryKeyConstraint("session", "hearing", "judge", name=op.f("pk_court_heard")),
    )
    op.create_index(op.f("ix_court_heard_judge_ordinal"), "court_heard", ["judge", "ordinal"])
    op.create_index(op.f("ix_court_heard_case_hearing"), "court_heard", ["case", "hearing"])
    op.create_index(op.f("ix_court_heard_epoch"), "court_heard", ["epoch"])
