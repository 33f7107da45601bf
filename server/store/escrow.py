"""The tables that mirror the escrow: what it has of each owner, what it knows of each session, and the epochs.

All of it but `wanted` sessions and unclosed epochs follows from the escrow's logs, is written in the transaction that takes
a log, and taken back in the one that takes it back.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from server.store.chain import ACTION, ADDRESS, HASH
from server.store.schema import ID, metadata

escrow_owner = Table(
    "escrow_owner",
    metadata,
    # EIP-55, as in `account.wallet`.
    Column("wallet", ADDRESS, primary_key=True),
    # What may be spent on entries, by the escrow's logs.
    Column("balance_micros", BigInteger, nullable=False),
    # Paid by epochs into the balance, since the beginning.
    Column("claimed_micros", BigInteger, nullable=False),
    # Asked back and not taken yet.
    Column("leaving_micros", BigInteger, nullable=False),
)

escrow_limits = Table(
    "escrow_limits",
    metadata,
    # Each time an owner has set them; the newest counts.
    Column("wallet", ADDRESS, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    # Larger numbers than fit are the largest that does.
    Column("max_entry_micros", BigInteger, nullable=False),
    Column("daily_cap_micros", BigInteger, nullable=False),
    # The last unix second at which an entry may be taken.
    Column("expires_s", BigInteger, nullable=False),
)

escrow_session = Table(
    "escrow_session",
    metadata,
    # A paid session. It does not begin before the escrow has opened it.
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    # SHA-256 of the session's text, in hex: what the logs call it.
    Column("digest", String(64), nullable=False, unique=True),
    Column("entry_micros", BigInteger, nullable=False),
    # JSON: the wallet behind each seat.
    Column("owners", Text, nullable=False),
    # `wanted`: to be opened; `open` and `refused`, `settled` and `refunded`: as the escrow's logs say.
    Column("state", String(8), nullable=False),
    # The transaction that opens it; null: none yet.
    Column("opening", ACTION),
    # Whose wallet would not pay, and why, where it was refused.
    Column("reason", String(280)),
    # The epoch that settles it; null: none yet.
    Column("epoch", Integer, ForeignKey("epoch.number"), index=True),
    # The transaction that the last change of its state is in.
    Column("tx", HASH),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("state IN ('wanted', 'open', 'refused', 'settled', 'refunded')", name="state"),
    Index(None, "state", "made_ms"),
    Index(None, "opening"),
)

epoch = Table(
    "epoch",
    metadata,
    # From 1, without gaps.
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Stored before its transaction is signed; `closed` when that is in a block.
    Column("state", String(8), nullable=False),
    # The canonical, signed `agon-epoch/1`.
    Column("document", LargeBinary, nullable=False),
    # The canonical `agon-payouts/1`; null where newer epochs say all that it said.
    Column("payouts", LargeBinary),
    Column("result_root", String(64), nullable=False),
    Column("payout_root", String(64), nullable=False),
    # What all owners have been allotted since the beginning.
    Column("allotted_micros", BigInteger, nullable=False),
    Column("tx", HASH),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("state IN ('made', 'closed')", name="state"),
)

escrow_debt = Table(
    "escrow_debt",
    metadata,
    # What the chain has taken, or will, of an owner's money that the ledger has not been able to take yet: a withdrawal
    # that was asked for beside money in queues, a deposit that a reorganisation took back.
    Column("id", String(128), primary_key=True),
    Column("account", ID, ForeignKey("account.id"), nullable=False),
    Column("code", String(16), nullable=False),
    Column("micros", BigInteger, nullable=False),
    # How much of it the ledger has reserved.
    Column("reserved_micros", BigInteger, nullable=False),
    # `open`; `paid` when the chain has done it and the ledger has, too; `void` when it will not happen.
    Column("state", String(8), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("code IN ('withdrawal', 'undone')", name="code"),
    CheckConstraint("state IN ('open', 'paid', 'void')", name="state"),
    CheckConstraint("reserved_micros BETWEEN 0 AND micros", name="reserved"),
    Index(None, "state", "account"),
)
