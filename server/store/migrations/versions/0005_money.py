"""Money: the ledger, holds, automation, results, deposits and withdrawals."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("bound", sa.String(length=8), nullable=False),
        sa.Column("debits_pending", sa.BigInteger(), nullable=False),
        sa.Column("debits_posted", sa.BigInteger(), nullable=False),
        sa.Column("credits_pending", sa.BigInteger(), nullable=False),
        sa.Column("credits_posted", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "bound <> 'credits' OR credits_pending + credits_posted <= debits_posted",
            name=op.f("ck_ledger_account_credits_limit"),
        ),
        sa.CheckConstraint(
            "bound <> 'debits' OR debits_pending + debits_posted <= credits_posted",
            name=op.f("ck_ledger_account_debits_limit"),
        ),
        sa.CheckConstraint(
            "bound IN ('none', 'debits', 'credits')", name=op.f("ck_ledger_account_bound")
        ),
        sa.CheckConstraint(
            "debits_pending >= 0 AND debits_posted >= 0 AND credits_pending >= 0 AND credits_posted >= 0",
            name=op.f("ck_ledger_account_counters"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
    )
    op.create_table(
        "ledger_transfer",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("debit", sa.String(length=128), nullable=False),
        sa.Column("credit", sa.String(length=128), nullable=False),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.String(length=128)),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=128)),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('post', 'void')) = (pending IS NOT NULL)",
            name=op.f("ck_ledger_transfer_pending"),
        ),
        sa.CheckConstraint(
            "kind IN ('posted', 'pending', 'post', 'void')", name=op.f("ck_ledger_transfer_kind")
        ),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_transfer_two_accounts")),
        sa.CheckConstraint("micros > 0", name=op.f("ck_ledger_transfer_micros")),
        sa.ForeignKeyConstraint(
            ["credit"], ["ledger_account.id"], name=op.f("fk_ledger_transfer_credit")
        ),
        sa.ForeignKeyConstraint(
            ["debit"], ["ledger_account.id"], name=op.f("fk_ledger_transfer_debit")
        ),
        sa.ForeignKeyConstraint(
            ["pending"], ["ledger_transfer.id"], name=op.f("fk_ledger_transfer_pending")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_transfer")),
        sa.UniqueConstraint("id", name=op.f("uq_ledger_transfer_id")),
        sa.UniqueConstraint("pending", name=op.f("uq_ledger_transfer_pending")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ledger_transfer_about"), "ledger_transfer", ["about"])
    op.create_index(op.f("ix_ledger_transfer_credit_seq"), "ledger_transfer", ["credit", "seq"])
    op.create_index(op.f("ix_ledger_transfer_debit_seq"), "ledger_transfer", ["debit", "seq"])
    op.create_table(
        "hold",
        sa.Column("ticket", sa.String(length=112), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("space", sa.String(length=64), nullable=False),
        sa.Column("tier_micros", sa.BigInteger(), nullable=False),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("session", sa.String(length=64)),
        sa.Column("run", sa.Integer()),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('spent', 'settled')) = (session IS NOT NULL)", name=op.f("ck_hold_session")
        ),
        sa.CheckConstraint(
            "state IN ('held', 'spent', 'settled', 'released')", name=op.f("ck_hold_state")
        ),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_hold_agent")),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_agent_state"), "hold", ["agent", "state"])
    op.create_index(op.f("ix_hold_session"), "hold", ["session"])
    op.create_index(op.f("ix_hold_state_made_ms"), "hold", ["state", "made_ms"])
    op.create_table(
        "automation",
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("at_risk_micros", sa.BigInteger(), nullable=False),
        sa.Column("profit_micros", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=280)),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'stopped') = (reason IS NOT NULL)", name=op.f("ck_automation_reason")
        ),
        sa.CheckConstraint("state IN ('on', 'off', 'stopped')", name=op.f("ck_automation_state")),
        sa.CheckConstraint(
            "begun >= 0 AND open >= 0 AND at_risk_micros >= 0", name=op.f("ck_automation_counters")
        ),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_automation_agent")),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_automation")),
    )
    op.create_index(op.f("ix_automation_state"), "automation", ["state"])
    op.create_table(
        "result",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=280)),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("pot_micros", sa.BigInteger(), nullable=False),
        sa.Column("ranks", sa.Text()),
        sa.Column("payouts", sa.Text(), nullable=False),
        sa.Column("fees", sa.Text(), nullable=False),
        sa.Column("settled_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(status = 'settled') = (ranks IS NOT NULL)", name=op.f("ck_result_ranks")
        ),
        sa.CheckConstraint("status IN ('settled', 'void')", name=op.f("ck_result_status")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_result_session")),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_result")),
    )
    op.create_index(op.f("ix_result_settled_ms"), "result", ["settled_ms"])
    op.create_table(
        "crossing",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("asset", sa.String(length=8), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("wallet", sa.String(length=42), nullable=False),
        sa.Column("reference", sa.String(length=80)),
        sa.Column("reason", sa.String(length=280)),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "direction IN ('deposit', 'withdrawal')", name=op.f("ck_crossing_direction")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'failed')", name=op.f("ck_crossing_state")
        ),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_crossing_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crossing")),
    )
    op.create_index(op.f("ix_crossing_account_id"), "crossing", ["account", "id"])
    op.create_index(op.f("ix_crossing_state_made_ms"), "crossing", ["state", "made_ms"])
    op.create_table(
        "idempotency",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.Text()),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_idempotency_account")),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_made_ms"), "idempotency", ["made_ms"])
    _never_change_transfers()


def _never_change_transfers() -> None:
    """What has been transferred stays so, whoever asks: the database refuses UPDATE and DELETE."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_transfer_no_{what.lower()} BEFORE {what} ON ledger_transfer "
                "BEGIN SELECT RAISE(ABORT, 'transfers are immutable'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ledger_transfer_immutable() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'transfers are immutable'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_transfer_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_transfer_immutable()"
    )
