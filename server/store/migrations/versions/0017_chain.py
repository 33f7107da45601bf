"""What we do and read on a chain: a row for each nonce of our keys with all that was signed for it, and the logs of contracts."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ADDRESS = sa.String(42)
HASH = sa.String(66)
WEI = sa.String(80)
READER = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "chain_key",
        sa.Column("chain_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("sender", ADDRESS, nullable=False),
        sa.Column("next_nonce", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "sender", name=op.f("pk_chain_key")),
    )
    op.create_table(
        "chain_tx",
        sa.Column("chain_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("sender", ADDRESS, nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("action", sa.String(128), nullable=False),
        sa.Column("to", ADDRESS),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("value", WEI, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("mined_hash", HASH),
        sa.Column("mined_number", sa.BigInteger()),
        sa.Column("mined_block", HASH),
        sa.Column("succeeded", sa.Boolean()),
        sa.Column("gas_used", sa.BigInteger()),
        sa.Column("price", WEI),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved', 'signed', 'sent', 'mined', 'final', 'replaced', 'dropped')",
            name=op.f("ck_chain_tx_state"),
        ),
        sa.PrimaryKeyConstraint("chain_id", "sender", "nonce", name=op.f("pk_chain_tx")),
    )
    op.create_index(
        op.f("ix_chain_tx_chain_id_action"), "chain_tx", ["chain_id", "action"], unique=True
    )
    op.create_index(
        op.f("ix_chain_tx_chain_id_sender_state_nonce"),
        "chain_tx",
        ["chain_id", "sender", "state", "nonce"],
    )
    op.create_table(
        "chain_attempt",
        sa.Column("chain_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("sender", ADDRESS, nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("most", WEI, nullable=False),
        sa.Column("tip", WEI, nullable=False),
        sa.Column("signed_ms", sa.BigInteger(), nullable=False),
        sa.Column("cancels", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chain_id", "sender", "nonce"],
            ["chain_tx.chain_id", "chain_tx.sender", "chain_tx.nonce"],
            name=op.f("fk_chain_attempt_chain_id_sender_nonce_chain_tx"),
        ),
        sa.PrimaryKeyConstraint(
            "chain_id", "sender", "nonce", "number", name=op.f("pk_chain_attempt")
        ),
        sa.UniqueConstraint("hash", name=op.f("uq_chain_attempt_hash")),
    )
    op.create_table(
        "chain_cursor",
        sa.Column("reader", READER, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("hash", HASH, nullable=False),
        sa.PrimaryKeyConstraint("reader", "number", name=op.f("pk_chain_cursor")),
    )
    op.create_table(
        "chain_log",
        sa.Column("reader", READER, nullable=False),
        sa.Column("block_hash", HASH, nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("address", ADDRESS, nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("tx", HASH, nullable=False),
        sa.Column("tx_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reader", "block_hash", "log_index", name=op.f("pk_chain_log")),
    )
    op.create_index(
        op.f("ix_chain_log_reader_number_log_index"),
        "chain_log",
        ["reader", "number", "log_index"],
    )
