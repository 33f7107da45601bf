"""The tables of what we do and read on a chain: a row for each nonce of our keys, and what has been read of its logs.

Numbers that the EVM may make larger than 64 bits are decimal text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from server.store.schema import metadata

ADDRESS = String(42)
HASH = String(66)
READER = String(64)
ACTION = String(128)
WEI = String(80)

chain_key = Table(
    "chain_key",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", ADDRESS, primary_key=True),
    # Locked by whoever gives the next nonce.
    Column("next_nonce", BigInteger, nullable=False),
)

chain_tx = Table(
    "chain_tx",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", ADDRESS, primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("action", ACTION, nullable=False),
    # Null makes a contract.
    Column("to", ADDRESS),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("value", WEI, nullable=False),
    Column("state", String(8), nullable=False),
    Column("cancelling", Boolean, nullable=False),
    # Where one of the attempts is, together or not at all.
    Column("mined_hash", HASH),
    Column("mined_number", BigInteger),
    Column("mined_block", HASH),
    Column("succeeded", Boolean),
    Column("gas_used", BigInteger),
    Column("price", WEI),
    Column("made_ms", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint(
        "state IN ('reserved', 'signed', 'sent', 'mined', 'final', 'replaced', 'dropped')",
        name="state",
    ),
    Index(None, "chain_id", "action", unique=True),
    Index(None, "chain_id", "sender", "state", "nonce"),
)

chain_attempt = Table(
    "chain_attempt",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", ADDRESS, primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    # Counts from 0.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", HASH, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("most", WEI, nullable=False),
    Column("tip", WEI, nullable=False),
    Column("signed_ms", BigInteger, nullable=False),
    Column("cancels", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["chain_id", "sender", "nonce"], ["chain_tx.chain_id", "chain_tx.sender", "chain_tx.nonce"]
    ),
)

chain_cursor = Table(
    "chain_cursor",
    metadata,
    Column("reader", READER, primary_key=True),
    # A block up to which all has been read; the newest some hundreds are kept.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", HASH, nullable=False),
)

chain_log = Table(
    "chain_log",
    metadata,
    Column("reader", READER, primary_key=True),
    Column("block_hash", HASH, primary_key=True),
    # Within the block.
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("address", ADDRESS, nullable=False),
    # Joined by spaces, at most four.
    Column("topics", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("tx", HASH, nullable=False),
    Column("tx_index", Integer, nullable=False),
    Index(None, "reader", "number", "log_index"),
    # By name and what is indexed of it: which transaction has opened a session.
    Index(None, "topics"),
)
