"""The tables of node operators: what the chain says of them, what they keep, and what was published for them.

Rows that follow from a log name its block and its place in it, and are taken back with it. FRAC is decimal text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from server.store.chain import ADDRESS, HASH, WEI
from server.store.schema import metadata

operator_standing = Table(
    "operator_standing",
    metadata,
    # One row for each change: the newest is how it stands, older ones how it stood.
    Column("operator", ADDRESS, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("endpoint", String(128), nullable=False),
    Column("peer_id", String(64), nullable=False),
    Column("bonded", WEI, nullable=False),
    Column("unbonding", WEI, nullable=False),
    Column("unbonding_at", BigInteger, nullable=False),
    Column("first_batch", BigInteger, nullable=False),
    Column("misses", BigInteger, nullable=False),
    # It has missed a challenge, and has neither attested nor answered since.
    Column("silent", Boolean, nullable=False),
)

operator_batch = Table(
    "operator_batch",
    metadata,
    Column("operator", ADDRESS, primary_key=True),
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    # Hex, as are all digests here.
    Column("root", String(64), nullable=False),
    Column("leaves", Integer, nullable=False),
    Column("list_digest", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("block_hash", HASH, nullable=False),
    # `due`: its list is to be fetched; `read`: it was compared; `bad`: there is no such list.
    Column("state", String(4), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    # The block's own time in seconds, known once it was read.
    Column("at_s", BigInteger),
    # Leaves that equal the arena's.
    Column("good", Integer),
    # A leaf that contradicts its block, so that it can be exposed.
    Column("lie", Integer),
    # The block in which it was exposed.
    Column("exposed_number", BigInteger),
    CheckConstraint("state IN ('due', 'read', 'bad')", name="state"),
    Index(None, "state", "due_ms"),
)

operator_list = Table(
    "operator_list",
    metadata,
    # The list of a batch as it was handed in, until it is read: few of each operator at a time.
    Column("operator", ADDRESS, primary_key=True),
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["operator", "batch"], ["operator_batch.operator", "operator_batch.batch"]
    ),
)

operator_keep = Table(
    "operator_keep",
    metadata,
    # A leaf that equals the arena's: this operator says that it keeps what this task asks for.
    Column("operator", ADDRESS, primary_key=True),
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "task", BigInteger, ForeignKey("pin_task.number"), primary_key=True, autoincrement=False
    ),
    Column("place", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["operator", "batch"], ["operator_batch.operator", "operator_batch.batch"]
    ),
    Index(None, "task", "operator"),
)

operator_challenge = Table(
    "operator_challenge",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("operator", ADDRESS, nullable=False),
    Column("challenger", ADDRESS, nullable=False),
    # Without a bond it is the role's.
    Column("bond", WEI, nullable=False),
    Column("batch", BigInteger, nullable=False),
    # Null: the seed draws it.
    Column("leaf", Integer),
    Column("number", BigInteger, nullable=False),
    Column("drawn_leaf", Integer),
    Column("drawn_number", BigInteger),
    # Unix seconds.
    Column("answer_until", BigInteger),
    # `answered`, `missed`, `lapsed`; null while it is open.
    Column("ended", String(8)),
    Column("ended_number", BigInteger),
    Column("lost", WEI),
    CheckConstraint("ended IN ('answered', 'missed', 'lapsed')", name="ended"),
    Index(None, "operator", "id"),
    Index(None, "ended", "id"),
)

published_root = Table(
    "published_root",
    metadata,
    # A log of `rewards` or `fractals` that says what root was posted, or taken back by a veto.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    # 0 of rewards.
    Column("season", Integer, nullable=False),
    # The epoch, or the root's number in its season; both count from 1.
    Column("ordinal", BigInteger, nullable=False),
    Column("root", String(64), nullable=False),
    Column("total", WEI, nullable=False),
    # Unix seconds; 0 of points, which count at once.
    Column("counts_at", BigInteger, nullable=False),
    Column("vetoed", Boolean, nullable=False),
    CheckConstraint("kind IN ('rewards', 'points')", name="kind"),
    Index(None, "kind", "season", "ordinal"),
)

root_document = Table(
    "root_document",
    metadata,
    # What a root was made of, kept before anything is sent.
    Column("kind", String(8), primary_key=True),
    Column("season", Integer, primary_key=True, autoincrement=False),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("total", WEI, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("cid", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("kind IN ('rewards', 'points')", name="kind"),
)
