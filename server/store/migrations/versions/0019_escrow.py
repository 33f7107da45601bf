"""What the escrow has of owners, what it knows of sessions, and the epochs by which it pays."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "escrow_owner",
        sa.Column("wallet", sa.String(42), primary_key=True),
        sa.Column("balance_micros", sa.BigInteger(), nullable=False),
        sa.Column("claimed_micros", sa.BigInteger(), nullable=False),
        sa.Column("leaving_micros", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "escrow_limits",
        sa.Column("wallet", sa.String(42), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("max_entry_micros", sa.BigInteger(), nullable=False),
        sa.Column("daily_cap_micros", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "epoch",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("payouts", sa.LargeBinary()),
        sa.Column("result_root", sa.String(64), nullable=False),
        sa.Column("payout_root", sa.String(64), nullable=False),
        sa.Column("allotted_micros", sa.BigInteger(), nullable=False),
        sa.Column("tx", sa.String(66)),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('made', 'closed')", name="state"),
    )
    op.create_table(
        "escrow_session",
        sa.Column("session", sa.String(64), sa.ForeignKey("session.id"), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("entry_micros", sa.BigInteger(), nullable=False),
        sa.Column("owners", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("opening", sa.String(128)),
        sa.Column("reason", sa.String(280)),
        sa.Column("epoch", sa.Integer(), sa.ForeignKey("epoch.number")),
        sa.Column("tx", sa.String(66)),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('wanted', 'open', 'refused', 'settled', 'refunded')", name="state"
        ),
    )
    op.create_table(
        "escrow_debt",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("account", sa.String(64), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("code IN ('withdrawal', 'undone')", name="code"),
        sa.CheckConstraint("state IN ('open', 'paid', 'void')", name="state"),
        sa.CheckConstraint("reserved_micros BETWEEN 0 AND micros", name="reserved"),
    )
    op.create_index("ix_escrow_session_epoch", "escrow_session", ["epoch"])
    op.create_index("ix_escrow_session_state_made_ms", "escrow_session", ["state", "made_ms"])
    op.create_index("ix_escrow_session_opening", "escrow_session", ["opening"])
    op.create_index("ix_escrow_debt_state_account", "escrow_debt", ["state", "account"])
