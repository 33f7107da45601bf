"""The tables of the court on the chain: what its two contracts have said, and what the arena has them told.

Rows that follow from a log name its block and its place in it, and go with it: no log changes a row of another. FRAC is decimal
text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from server.store.chain import ADDRESS, HASH, WEI
from server.store.schema import ID, metadata

court_log = Table(
    "court_log",
    metadata,
    # One log of `court` or `judge_registry`.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("block_hash", HASH, nullable=False),
    Column("tx", HASH, nullable=False),
    Column("name", String(32), nullable=False),
    # Of a batch, a snapshot, an epoch: whatever the log's name counts.
    Column("ordinal", BigInteger),
    # A case's id in hex.
    Column("case", String(64)),
    Column("hearing", Integer),
    Column("judge", ADDRESS),
    # All that it says, as JSON: numbers beyond 53 bits are decimal text, bytes hex.
    Column("fields", LargeBinary, nullable=False),
    Index(None, "name", "ordinal"),
    Index(None, "case", "hearing"),
    Index(None, "judge", "number"),
)

court_standing = Table(
    "court_standing",
    metadata,
    # One row for each change of a judge: the newest is how it stands, older ones how it stood.
    Column("judge", ADDRESS, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("operator", ADDRESS, nullable=False),
    Column("family", String(66), nullable=False),
    Column("endpoint", String(128), nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("bonded", WEI, nullable=False),
    Column("unbonding", WEI, nullable=False),
    Column("unbonding_at", BigInteger, nullable=False),
    # Unix seconds; 0: never jailed.
    Column("jailed_until", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
)

court_filing = Table(
    "court_filing",
    metadata,
    # A hearing that the clerk wants filed; one that was lost makes room for another.
    Column("case", String(64), primary_key=True),
    Column("hearing", Integer, primary_key=True, autoincrement=False),
    # As JSON.
    Column("filing", LargeBinary, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("wanted_ms", BigInteger, nullable=False),
    # Null: it is in none yet.
    Column("batch", BigInteger),
    Column("place", Integer),
    Index(None, "batch", "place"),
)

court_batch = Table(
    "court_batch",
    metadata,
    # Ours, numbered from 1; the chain has numbers of its own.
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    # The chain's number is this one or more: one that is less is another batch of the same root, which was lost.
    Column("least", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    # It is not on the chain, and never will be with a seed.
    Column("lost", Boolean, nullable=False),
    Index(None, "root"),
)

court_epoch = Table(
    "court_epoch",
    metadata,
    # `agon-court-epoch/1`, kept before anything is sent.
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("cases_root", String(64), nullable=False),
    Column("earned_root", String(64), nullable=False),
    Column("total_micros", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("cid", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    # All that it costs anybody has been brought.
    Column("done", Boolean, nullable=False),
)

court_heard = Table(
    "court_heard",
    metadata,
    # A seat of a hearing that an epoch holds: a SEAT leaf.
    Column("session", ID, primary_key=True),
    Column("hearing", Integer, primary_key=True, autoincrement=False),
    Column("judge", ADDRESS, primary_key=True),
    Column("case", String(64), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    Column("skill", BigInteger, nullable=False),
    Column("pay", BigInteger, nullable=False),
    Column("slash", WEI, nullable=False),
    # The epoch that takes its pay back, as the hearing was put on the chain since.
    Column("back", BigInteger),
    Index(None, "judge", "ordinal"),
    Index(None, "case", "hearing"),
    Index(None, "epoch"),
)
